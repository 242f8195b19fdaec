#include "master/reaper.hpp"

namespace serval::master {

void Reaper::reap() {
  while (const auto exit = os::reap_one()) deliver(*exit);
}

/// Out of the table first: the pid is free from here on, and the call may start a child that gets it.
void Reaper::deliver(const os::ChildExit& exit) {
  const auto awaited = awaited_.extract(exit.pid);
  const OnExit& on_exit = awaited ? awaited.mapped() : on_stranger_;
  on_exit(exit);
}

}  // namespace serval::master
