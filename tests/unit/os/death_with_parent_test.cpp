#include "os/death_with_parent.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <functional>

#include "base/time.hpp"
#include "os/fork.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"
#include "os/processes.hpp"

namespace serval::os {
namespace {

using namespace std::chrono_literals;

int parent_death_signal() {
  int signal = -1;
  ::prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
  return signal;
}

/// Each test's process is the subreaper, so it sees the end of all that are forked below it.
class DeathWithParent : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(become_subreaper()); }
  void TearDown() override {
    EXPECT_TRUE(own_children().empty());
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  }

  /// A child, and a grandchild that does `arrange(child's pid)`; the child is killed once the grandchild has done so.
  /// How the grandchild ended: by the signal, or by itself when it was told to, with what `arrange` had returned.
  static ChildExit grandchild_of_killed(const std::function<int(pid_t)>& arrange) {
    int ready[2];
    int leave[2];
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(leave, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const pid_t self = ::getpid();
      const pid_t grandchild = ::fork();
      if (grandchild == 0) {
        ::close(leave[1]);
        const int code = arrange(self);
        const pid_t pid = ::getpid();
        char byte = 0;
        const bool told = ::write(ready[1], &pid, sizeof pid) == sizeof pid;
        ::_exit(told && ::read(leave[0], &byte, 1) == 0 ? code : 99);
      }
      ::pause();
    }
    UniqueFd go_on(leave[1]);
    pid_t grandchild = -1;
    EXPECT_EQ(::read(ready[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
    ::kill(child, SIGKILL);
    EXPECT_TRUE(wait_for(child));
    go_on.reset();  // if it is to die, it has got the signal by now: it gets it before its parent can be reaped
    for (const int fd : {ready[0], ready[1], leave[0]}) ::close(fd);
    return wait_for(grandchild).value_or(ChildExit{});
  }
};

TEST_F(DeathWithParent, the_end_of_the_parent_is_the_end) {
  const ChildExit exit = grandchild_of_killed([](pid_t parent) { return die_with_parent(parent) ? 1 : 2; });
  EXPECT_EQ(exit.text(), "SIGKILL");
}

TEST_F(DeathWithParent, can_be_taken_back) {
  const ChildExit exit = grandchild_of_killed([](pid_t parent) {
    const bool arranged = die_with_parent(parent) && parent_death_signal() == SIGKILL;
    outlive_parent();
    return arranged && parent_death_signal() == 0 ? 42 : 2;
  });
  EXPECT_EQ(exit.text(), "exit code 42");
}

TEST_F(DeathWithParent, a_process_forked_twice_lives_on_after_the_middle_one) {
  const pid_t parent = ::getpid();
  for (int i = 0; i < 20; ++i) {
    const auto pid =
        fork_sibling([parent] { return die_with_parent(parent) && parent_death_signal() == SIGKILL ? 42 : 1; });
    ASSERT_TRUE(pid) << pid.error();
    EXPECT_EQ(wait_for(*pid)->text(), "exit code 42");
  }
}

TEST_F(DeathWithParent, waits_for_a_middle_process_that_takes_its_time) {
  const pid_t parent = ::getpid();
  const pid_t middle = ::fork();
  if (middle == 0) {
    if (::fork() == 0) ::_exit(die_with_parent(parent) && ::getppid() == parent ? 42 : 1);
    ::poll(nullptr, 0, 30);
    ::_exit(0);
  }
  EXPECT_TRUE(wait_for(middle));
  const auto left = own_children();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(wait_for(left[0])->text(), "exit code 42");
}

TEST_F(DeathWithParent, cannot_be_arranged_with_a_process_that_is_not_the_parent) {
  const TimePoint begin = Clock::now();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(die_with_parent(::getpid()) || parent_death_signal() != 0 ? 1 : 42);
  EXPECT_EQ(wait_for(child)->text(), "exit code 42");
  EXPECT_GE(Clock::now() - begin, 200ms);
}

}  // namespace
}  // namespace serval::os
