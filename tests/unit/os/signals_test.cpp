#include "os/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>

#include "base/signal_table.hpp"

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
  for (const char* spelling : {"TERM", "SIGTERM", "sigterm", "term", "15"}) {
    EXPECT_EQ(signal_number(spelling), SIGTERM) << spelling;
  }
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

/// Its exit code 0: `what` is true in a child that reacts as `process`. Else the exit code, or 1000 and the signal that
/// ended it.
template <class What>
int in_child(Process process, What what) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    react_as(process);
    ::_exit(what() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

Reaction reaction(const SignalReaction& row, Process process) {
  return process == Process::master ? row.master : process == Process::mold ? row.mold : row.worker;
}

TEST(Signals, what_is_passed_over_ends_nobody) {
  for (const Process process : {Process::master, Process::mold, Process::worker}) {
    for (const SignalReaction& row : kSignalReactions) {
      if (reaction(row, process) != Reaction::passes_over) continue;
      EXPECT_EQ(in_child(process, [&] { return ::raise(row.number) == 0; }), 0) << signal_name(row.number);
    }
  }
}

TEST(Signals, every_signal_that_ends_or_stops_is_decided_upon) {
  constexpr int kFaultsAndChoices[] = {SIGILL, SIGTRAP,   SIGABRT, SIGBUS,  SIGFPE, SIGSEGV,
                                       SIGSYS, SIGSTKFLT, SIGKILL, SIGSTOP, SIGTSTP};
  constexpr int kHarmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
  for (int number = 1; number < 32; ++number) {
    int decided = static_cast<int>(std::ranges::count(kSignalReactions, number, &SignalReaction::number));
    decided += static_cast<int>(std::ranges::count(kFaultsAndChoices, number) + std::ranges::count(kHarmless, number));
    EXPECT_EQ(decided, 1) << signal_name(number);
  }
  for (const SignalRow& row : kSignalTable) {
    const auto* found = std::ranges::find(kSignalReactions, row.number, &SignalReaction::number);
    ASSERT_NE(found, std::end(kSignalReactions)) << row.name;
    EXPECT_EQ(found->master, Reaction::handles) << row.name;
  }
}

TEST(Signals, a_file_at_its_limit_is_an_error_not_a_death) {
  const auto writes_too_much = [] {
    const rlimit limit{10, 10};
    char path[] = "/tmp/signals_test_XXXXXX";
    const int fd = ::mkstemp(path);
    ::unlink(path);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return ::write(fd, "0123456789", 10) == 10 && ::write(fd, "x", 1) == -1 && errno == EFBIG;
  };
  for (const Process process : {Process::master, Process::mold, Process::worker}) {
    EXPECT_EQ(in_child(process, writes_too_much), 0);
  }
}

TEST(Signals, what_a_mold_or_worker_starts_has_the_defaults) {
  // But for the two that glibc keeps for itself, 32 and 33.
  const auto runs_a_program = [] {
    return ::system(
               "grep -qE 'SigIgn:\\s*0*(180000000)?$' /proc/self/status && grep -qE 'SigBlk:\\s*0*$' "
               "/proc/self/status") == 0;
  };
  for (const int ignored : {SIGPIPE, SIGHUP, SIGXFSZ}) {
    struct sigaction before {};
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(ignored, &ignore, &before);  // as whoever starts us may have it
    EXPECT_EQ(in_child(Process::mold, runs_a_program), 0) << ignored;
    ::sigaction(ignored, &before, nullptr);
  }
  EXPECT_EQ(in_child(Process::worker, runs_a_program), 0);
}

}  // namespace
}  // namespace serval::os
