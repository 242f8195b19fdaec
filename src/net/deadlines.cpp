#include "net/deadlines.hpp"

namespace serval::net {

void Deadlines::arm(TimePoint at) {
  armed_ = at;
  timer_.expires_at(at + DeadlineWheel::kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
}

void Deadlines::on_timer() {
  armed_ = TimePoint::max();
  const TimePoint now = Clock::now();
  wheel_.expire(now, [now](Deadlined& due) { due.on_deadline(now); });
  if (const auto next = wheel_.next(); next && *next < armed_) arm(*next);
}

}  // namespace serval::net
