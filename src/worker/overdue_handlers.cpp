#include "worker/overdue_handlers.hpp"

namespace serval::worker {

void OverdueHandlers::add(const HandlerCall& call, TimePoint now) {
  reports_.add(call, now);
  chances_.add(&call, now);
  arm();
}

void OverdueHandlers::arm() {
  const auto next = chances_.next();
  if (!next) return;
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_time();
  });
}

void OverdueHandlers::on_time() {
  for (int stuck = chances_.give_up(Clock::now()); stuck > 0; --stuck) reports_.does_not_return();
  on_stuck_();
  arm();
}

}  // namespace serval::worker
