#include "os/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace serval::os {
namespace {

TEST(Signals, names) {
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(signal_name(SIGRTMIN), "SIGRTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(0), "signal 0");
  EXPECT_EQ(signal_name(1000), "signal 1000");
}

TEST(Signals, numbers) {
  for (const char* spelling : {"TERM", "SIGTERM", "sigterm", "term", "15"}) EXPECT_EQ(signal_number(spelling), SIGTERM) << spelling;
  EXPECT_EQ(signal_number("USR2"), SIGUSR2);
  EXPECT_EQ(signal_number("SIGRTMIN"), SIGRTMIN);
  EXPECT_EQ(signal_number("rtmin+3"), SIGRTMIN + 3);
  for (const char* wrong : {"", "SIG", "TERMINATE", "0", "-1", "65", "1000", "15x", "RTMIN+", "RTMIN+-1", "RTMIN+99"}) {
    EXPECT_EQ(signal_number(wrong), std::nullopt) << wrong;
  }
}

TEST(Signals, every_name_is_read_back) {
  for (int number = 1; number <= SIGRTMAX; ++number) {
    const std::string name = signal_name(number);
    if (name.starts_with("SIG")) {
      EXPECT_EQ(signal_number(name), number) << name;
    }
  }
}

TEST(Signals, a_child_starts_with_defaults_and_nothing_blocked) {
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    ::signal(SIGTERM, SIG_IGN);
    ignore_sigpipe();
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    restore_default_signals();
    sigset_t mask;
    ::sigprocmask(SIG_SETMASK, nullptr, &mask);
    struct sigaction pipe {};
    ::sigaction(SIGPIPE, nullptr, &pipe);
    if (::sigisemptyset(&mask) != 1 || pipe.sa_handler != SIG_DFL) ::_exit(1);
    ::raise(SIGTERM);
    ::_exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

}  // namespace
}  // namespace serval::os
