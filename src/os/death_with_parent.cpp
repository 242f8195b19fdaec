#include "os/death_with_parent.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/time.hpp"

namespace serval::os {
namespace {

constexpr Duration kParentTimeout{200};

/// Asked for too early, the signal would come from the end of the middle process.
bool becomes_our_parent(pid_t parent) {
  const TimePoint deadline = Clock::now() + kParentTimeout;
  while (::getppid() != parent) {
    if (Clock::now() >= deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace

bool die_with_parent(pid_t parent) {
  if (!becomes_our_parent(parent) || ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
  if (::getppid() == parent) return true;
  outlive_parent();  // it ended just before the call, so the signal would come from the process that took its place
  return false;
}

void outlive_parent() { ::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); }

}  // namespace serval::os
