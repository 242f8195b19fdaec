#include "master/clock_watch.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

namespace serval::master {

ClockWatch::ClockWatch(boost::asio::io_context& io, std::function<void()> on_set)
    : on_set_(std::move(on_set)), fd_(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (fd_ && arm()) watch_.emplace(io, fd_.get(), [this] { look(); });
}

/// For a time that never comes: only a clock that is set ends the wait (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
bool ClockWatch::arm() {
  itimerspec never = {};
  never.it_value.tv_sec = std::numeric_limits<std::int32_t>::max() * std::int64_t{4};
  return ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) == 0;
}

void ClockWatch::look() {
  std::uint64_t times = 0;
  const ssize_t size = ::read(fd_.get(), &times, sizeof times);
  if (size < 0 && errno != ECANCELED) return;
  arm();
  on_set_();
}

}  // namespace serval::master
