#include "os/wait.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cerrno>

#include "os/signals.hpp"
#include "os/spawned.hpp"

namespace serval::os {
namespace {

std::chrono::microseconds microseconds_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::optional<ChildExit> wait_on(pid_t pid, int options) {
  int status = 0;
  rusage usage = {};
  pid_t ended = -1;
  do {
    ended = ::wait4(pid, &status, options, &usage);
  } while (ended < 0 && errno == EINTR);
  if (ended <= 0) return std::nullopt;
  forget_spawned(ended);
  const auto cpu = microseconds_of(usage.ru_utime) + microseconds_of(usage.ru_stime);
  if (WIFSIGNALED(status)) return ChildExit{ended, true, WTERMSIG(status), WCOREDUMP(status) != 0, cpu};
  return ChildExit{ended, false, WEXITSTATUS(status), false, cpu};
}

}  // namespace

std::string ChildExit::text() const {
  if (!signaled) return "exit code " + std::to_string(code);
  return signal_name(code) + (core ? " (core dumped)" : "");
}

std::optional<ChildExit> reap_one() { return wait_on(-1, WNOHANG); }

bool is_child(pid_t pid) {
  siginfo_t info = {};
  return pid > 0 && ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool kill_child(pid_t pid, int signal) { return is_child(pid) && ::kill(pid, signal) == 0; }

std::optional<ChildExit> wait_for(pid_t pid) { return wait_on(pid, 0); }

}  // namespace serval::os
