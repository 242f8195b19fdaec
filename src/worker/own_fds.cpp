#include "worker/own_fds.hpp"

#include <unistd.h>

#include "base/exit_code.hpp"
#include "base/log.hpp"

namespace serval::worker {

void OwnFds::look_now_and_then() {
  const Clock::rep now = Clock::now().time_since_epoch().count();
  if (now - looked_.load(std::memory_order_relaxed) >= Clock::period::den) look();
}

void OwnFds::look() {
  looked_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  const auto lost = watch.lost();
  if (!lost || said_.exchange(true)) return;
  const bool helpless = lost->name == kEventLoop;
  log::error(
      "a descriptor of serval's is not what it was, the app may close only what it has opened: the worker leaves",
      {{"which", lost->name},
       {"fd", lost->fd},
       {"now", lost->closed ? "closed" : "another file"},
       {"how", helpless ? "at once" : "it drains"}});
  if (helpless) ::_exit(exit_code::internal);
  on_lost_(lost->name);
}

}  // namespace serval::worker
