#include "worker/own_fds.hpp"

#include <unistd.h>

#include "base/exit_code.hpp"
#include "base/log.hpp"

namespace serval::worker {
namespace {

void complain(const os::FdWatch::Lost& lost, const char* how) {
  log::error(
      "a descriptor of serval's is not what it was, the app may close only what it has opened: the worker leaves",
      {{"which", lost.name}, {"fd", lost.fd}, {"now", lost.closed ? "closed" : "another file"}, {"how", how}});
}

}  // namespace

void OwnFds::look_now_and_then() {
  const Clock::rep now = Clock::now().time_since_epoch().count();
  if (now - looked_.load(std::memory_order_relaxed) >= Clock::period::den) look();
}

std::optional<os::FdWatch::Lost> OwnFds::lost() const {
  auto first = loop.lost();
  return first ? first : watch.lost();
}

/// The log may be lost as well, and the channel: the exit code reaches the master in any case.
void OwnFds::look_at_loop() {
  const auto lost = loop.lost();
  if (!lost) return;
  complain(*lost, "at once");
  log::finish();
  ::_exit(exit_code::unfit);
}

void OwnFds::look() {
  looked_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  look_at_loop();
  const auto lost = watch.lost();
  if (!lost || said_.exchange(true)) return;
  complain(*lost, "it drains");
  on_lost_(lost->name);
}

}  // namespace serval::worker
