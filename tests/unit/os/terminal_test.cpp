#include "os/terminal.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "os/signals.hpp"

namespace serval::os {
namespace {

TEST(Terminal, a_hangup_ends_only_what_had_a_terminal_that_is_gone) {
  constexpr Hangup kernel{.by_kernel = true};
  constexpr Hangup shell{.by_session_leader = true};
  constexpr Hangup somebody{};
  const struct {
    Hangup hangup;
    bool had, has, ends;
  } table[] = {
      {kernel, true, false, true},   {kernel, true, true, true},   {kernel, false, false, false},
      {shell, true, false, true},    {shell, true, true, false},   {shell, false, false, false},
      {somebody, true, false, false}, {somebody, true, true, false}, {somebody, false, false, false},
  };
  for (const auto& row : table) EXPECT_EQ(is_end_of_terminal(row.hangup, row.had, row.has), row.ends);
}

volatile sig_atomic_t handled[65];
void count(int number) { handled[number] = handled[number] + 1; }

/// The exit code of `what`, run as the leader of a session that has a terminal.
template <class What>
int in_session(What what) {
  const pid_t leader = ::fork();
  if (leader == 0) {
    ::alarm(20);
    int user = -1, program = -1;
    ::setsid();
    if (::openpty(&user, &program, nullptr, nullptr, nullptr) != 0 || ::ioctl(program, TIOCSCTTY, 0) != 0) ::_exit(90);
    for (const int number : {SIGHUP, SIGTTIN, SIGTTOU}) {
      struct sigaction action {};
      action.sa_handler = count;
      ::sigaction(number, &action, nullptr);
    }
    filter_terminal_signals();
    ::_exit(what(user, program));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(leader, &status, 0), leader);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(Terminal, a_hangup_of_the_terminal_is_told_from_one_that_was_sent) {
  EXPECT_EQ(in_session([](int user, int) {
              if (!has_terminal()) return 1;
              ::raise(SIGHUP);
              Hangup hangup = take_hangup();
              if (handled[SIGHUP] != 1 || hangup.by_kernel) return 2;
              ::close(user);
              hangup = take_hangup();
              if (handled[SIGHUP] < 2 || !hangup.by_kernel) return 3;
              if (has_terminal()) return 4;
              return take_hangup().by_kernel ? 5 : 0;
            }),
            0);
}

TEST(Terminal, a_hangup_that_the_leader_passes_on_is_known) {
  EXPECT_EQ(in_session([](int, int) {
              const pid_t job = ::fork();
              if (job == 0) {
                while (handled[SIGHUP] == 0) ::usleep(1000);
                const Hangup hangup = take_hangup();
                ::_exit(hangup.by_session_leader && !hangup.by_kernel ? 0 : 1);
              }
              ::kill(job, SIGHUP);
              int status = 0;
              ::waitpid(job, &status, 0);
              return WEXITSTATUS(status);
            }),
            0);
}

TEST(Terminal, ttou_of_the_kernel_is_no_command_but_one_that_was_sent_is) {
  EXPECT_EQ(in_session([](int, int program) {
              termios settings;
              ::tcgetattr(program, &settings);
              settings.c_lflag |= TOSTOP;
              ::tcsetattr(program, TCSANOW, &settings);
              const pid_t job = ::fork();
              if (job == 0) {
                ::setpgid(0, 0);
                if (::write(program, "x", 1) != -1) ::_exit(1);  // EINTR: there is no SA_RESTART here
                if (handled[SIGTTOU] != 0) ::_exit(2);
                ::raise(SIGTTOU);
                ::raise(SIGTTIN);
                ::_exit(handled[SIGTTOU] == 1 && handled[SIGTTIN] == 1 ? 0 : 3);
              }
              int status = 0;
              ::waitpid(job, &status, 0);
              return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
            }),
            0);
}

TEST(Terminal, what_is_ignored_stays_ignored) {
  EXPECT_EQ(in_session([](int user, int) {
              ::signal(SIGHUP, SIG_IGN);
              filter_terminal_signals();
              ::close(user);
              return is_ignored(SIGHUP) && handled[SIGHUP] == 0 ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace serval::os
