#include "worker/pause_gate.hpp"

#include <boost/asio/post.hpp>

#include <utility>

#include "server/exchange.hpp"

namespace serval::worker {

void PauseGate::hold(std::function<void()> quiet) {
  holds_ = true;
  quiet_ = std::move(quiet);
  on_change();
}

void PauseGate::park(server::Exchange& exchange) {
  held_.push_back(&exchange);
  count_held();
}

void PauseGate::count_held() {
  held_count_.store(static_cast<int>(held_.size()), std::memory_order_relaxed);
  hooks_.on_held();
}

void PauseGate::admit() {
  holds_ = false;
  quiet_ = nullptr;
  admit_next();
}

void PauseGate::on_change() {
  if (quiet_ && hooks_.nothing_in_progress()) std::exchange(quiet_, nullptr)();
  admit_next();
}

/// One at a time: its handler may run on this very thread, and cost it the loop.
void PauseGate::admit_next() {
  if (holds_ || admitting_ || held_.empty() || !hooks_.has_room()) return;
  admitting_ = true;
  boost::asio::post(io_, [this] {
    admitting_ = false;
    if (holds_ || !hooks_.has_room()) return;
    server::Exchange& next = *held_.front();
    held_.pop_front();
    count_held();
    admit_next();
    next.take_again();
  });
}

}  // namespace serval::worker
