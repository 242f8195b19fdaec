#include "worker/placement/rebalancer.hpp"

#include <algorithm>
#include <vector>

#include "worker/handler_call.hpp"

namespace serval::worker::placement {

void Rebalancer::watch() {
  if (watching_ || pool_.waiting() == 0) return;
  look_after(hopeless(own_threads(Clock::now())) ? std::chrono::milliseconds::zero() : kWorthWaiting);
}

void Rebalancer::look_after(std::chrono::milliseconds time) {
  watching_ = true;
  timer_.expires_after(time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    watching_ = false;
    if (!error) look();
  });
}

void Rebalancer::look() {
  const int waiting = std::min(pool_.waiting(), kMigrationBatch);
  if (waiting > 0 && move(fleet_.free_threads(waiting))) on_moved_();
  if (!watching_ && pool_.waiting() > 0) look_after(kWorthWaiting);
}

OwnThreads Rebalancer::own_threads(TimePoint now) const {
  return {.threads = fleet_.threads(), .busy_for_long = fleet_.running_since_before(now - kWorthWaiting)};
}

/// Those that have waited for the longest first. Requests that cannot move keep their places. True: one has moved.
bool Rebalancer::move(int free) {
  const TimePoint now = Clock::now();
  const OwnThreads own = own_threads(now);
  std::vector<Task*> kept;
  bool moved = false;
  while (free > 0 && static_cast<int>(kept.size()) < kMigrationBatch) {
    Task* const task = pool_.withdraw_first();
    if (task == nullptr) break;
    const auto* const call = dynamic_cast<HandlerCall*>(task);
    const bool due = call != nullptr && should_move(now - call->exchange().complete(), own);
    if (due && call->exchange().connection() != nullptr && lobby_.send_request(*call->exchange().connection())) {
      --free;
      moved = true;
      continue;
    }
    kept.push_back(task);
    if (call != nullptr && !due) break;
  }
  for (auto task = kept.rbegin(); task != kept.rend(); ++task) pool_.put_back(**task);
  return moved;
}

}  // namespace serval::worker::placement
