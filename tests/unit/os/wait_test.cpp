#include "os/wait.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

namespace serval::os {
namespace {

pid_t child_that(void (*ends)()) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ends();
    ::_exit(99);
  }
  return pid;
}

/// Until `pid` has ended, without taking it.
void await(pid_t pid) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
}

TEST(Wait, an_exit_code) {
  const pid_t pid = child_that([] { ::_exit(78); });
  await(pid);
  const auto exit = reap_one();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->pid, pid);
  EXPECT_FALSE(exit->signaled);
  EXPECT_FALSE(exit->clean());
  EXPECT_EQ(exit->code, 78);
  EXPECT_EQ(exit->text(), "exit code 78");
}

TEST(Wait, a_signal) {
  const pid_t pid = child_that([] {
    ::signal(SIGSEGV, SIG_DFL);
    ::raise(SIGSEGV);
  });
  const auto exit = wait_for(pid);
  ASSERT_TRUE(exit);
  EXPECT_TRUE(exit->signaled);
  EXPECT_EQ(exit->code, SIGSEGV);
  EXPECT_EQ(exit->text().rfind("SIGSEGV", 0), 0u);
  EXPECT_EQ((ChildExit{1, true, SIGABRT, true}.text()), "SIGABRT (core dumped)");
}

TEST(Wait, does_not_block_and_reaps_all_there_are) {
  EXPECT_FALSE(reap_one());
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t living = ::fork();
  if (living == 0) {
    ::close(ends[1]);
    char byte = 0;
    ::_exit(::read(ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  ::close(ends[0]);
  EXPECT_FALSE(reap_one());

  std::set<pid_t> ended;
  for (int i = 0; i < 3; ++i) ended.insert(child_that([] { ::_exit(0); }));
  for (const pid_t pid : ended) await(pid);
  for (int i = 0; i < 3; ++i) {
    const auto exit = reap_one();
    ASSERT_TRUE(exit);
    EXPECT_TRUE(exit->clean());
    EXPECT_EQ(ended.erase(exit->pid), 1u);
  }
  EXPECT_FALSE(reap_one());
  ::close(ends[1]);
  EXPECT_TRUE(wait_for(living)->clean());
  EXPECT_FALSE(wait_for(living));
}

TEST(Wait, knows_its_children_until_they_are_reaped_and_signals_nobody_else) {
  EXPECT_FALSE(is_child(0));
  EXPECT_FALSE(is_child(-1)) << "which would mean every process";
  EXPECT_FALSE(is_child(::getpid()));
  EXPECT_FALSE(is_child(::getppid()));
  EXPECT_FALSE(kill_child(::getpid(), SIGKILL)) << "we are still here";
  const pid_t pid = child_that([] { ::pause(); });
  EXPECT_TRUE(is_child(pid));
  EXPECT_TRUE(kill_child(pid, SIGKILL));
  await(pid);
  EXPECT_TRUE(is_child(pid)) << "ended, and its pid is still its own";
  ASSERT_TRUE(wait_for(pid));
  EXPECT_FALSE(is_child(pid));
  EXPECT_FALSE(kill_child(pid, SIGKILL));
}

/// A grandchild whose parent ends is one's own child only for a subreaper.
TEST(Wait, a_grandchild_is_no_child) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) {
      ::pause();
      ::_exit(0);
    }
    [[maybe_unused]] const ssize_t written = ::write(ends[1], &grandchild, sizeof grandchild);
    ::pause();
    ::_exit(0);
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(ends[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  EXPECT_FALSE(is_child(grandchild));
  ::kill(grandchild, SIGKILL);
  EXPECT_TRUE(kill_child(child, SIGKILL));
  wait_for(child);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace serval::os
