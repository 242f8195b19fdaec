#include "os/stop_signal.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "os/wait.hpp"

namespace serval::os {
namespace {

bool readable(int fd) {
  pollfd event = {fd, POLLIN, 0};
  return ::poll(&event, 1, 0) == 1;
}

/// Its state is the process's, so each runs in one of its own; what it exits with.
template <class Run>
ChildExit in_a_child(Run run) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(run() ? 0 : 1);
  return *wait_for(pid);
}

TEST(StopSignal, MakesTheDescriptorReadableForGood) {
  EXPECT_TRUE(in_a_child([] {
                if (!listen_for_stop({SIGTERM, SIGUSR1}, false)) return false;
                if (stop_asked() || readable(stop_fd())) return false;
                ::raise(SIGUSR1);
                ::raise(SIGTERM);
                return stop_asked() && readable(stop_fd());
              }).clean());
}

TEST(StopSignal, ASecondOneHasItsDefaultEffectIfThatIsWanted) {
  const ChildExit end = in_a_child([] {
    if (!listen_for_stop({SIGTERM}, true)) return false;
    ::raise(SIGTERM);
    if (!stop_asked()) return false;
    ::raise(SIGTERM);
    return false;
  });
  EXPECT_TRUE(end.signaled);
  EXPECT_EQ(end.code, SIGTERM);
}

TEST(StopSignal, WithoutListeningThereIsNone) {
  EXPECT_TRUE(in_a_child([] { return !stop_asked() && stop_fd() == -1; }).clean());
}

}  // namespace
}  // namespace serval::os
