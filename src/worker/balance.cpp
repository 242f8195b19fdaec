#include "worker/balance.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "scoreboard/reader.hpp"
#include "worker/connection.hpp"
#include "worker/exchange.hpp"

namespace serval::worker {

namespace {

using namespace std::chrono_literals;

/// A thread that becomes free within this time is worth waiting for: it is longer than nearly all handlers run, and a client hardly notices.
constexpr auto kPatience = 2ms;
/// Requests that are moved at one look. Siblings in the same straits look at the same free threads.
constexpr int kAtOnce = 16;

}  // namespace

Balance::Balance(boost::asio::io_context& io, Crew& crew, const scoreboard::Memory& memory, int slot, int threads, std::function<void()> changed)
    : crew_(crew), memory_(memory), slot_(slot), threads_(threads), changed_(std::move(changed)), timer_(io) {}

void Balance::watch() {
  if (!watching_ && crew_.waiting() > 0) look_after(hopeless(Clock::now()) ? Duration::zero() : kPatience);
}

void Balance::look_after(Duration patience) {
  watching_ = true;
  timer_.expires_after(patience);
  timer_.async_wait([this](const boost::system::error_code& error) {
    watching_ = false;
    if (!error) look();
  });
}

void Balance::look() {
  const int waiting = std::min(crew_.waiting(), kAtOnce);
  if (waiting > 0 && move(scoreboard::free_threads(memory_, slot_, threads_, waiting))) changed_();
  if (!watching_ && crew_.waiting() > 0) look_after(kPatience);
}

/// Handlers have run for so long that another will hardly end in time.
bool Balance::hopeless(TimePoint now) const { return scoreboard::running_since_before(memory_, slot_, now - kPatience) >= threads_; }

/// Those who have waited for the longest first. Requests that cannot move keep their places. True: one has moved.
bool Balance::move(int free) {
  const TimePoint now = Clock::now();
  const bool at_once = hopeless(now);
  std::vector<Job*> kept;
  bool moved = false;
  while (free > 0 && static_cast<int>(kept.size()) < kAtOnce) {
    Job* const job = crew_.withdraw_first();
    if (job == nullptr) break;
    const auto& exchange = static_cast<Exchange&>(*job);  // the only jobs there are
    const bool due = at_once || now - exchange.handed_over >= kPatience;
    if (due && exchange.owner() != nullptr && exchange.owner()->hand_on()) {
      --free;
      moved = true;
      continue;
    }
    kept.push_back(job);
    if (!due) break;
  }
  for (auto job = kept.rbegin(); job != kept.rend(); ++job) crew_.put_back(**job);
  return moved;
}

}  // namespace serval::worker
