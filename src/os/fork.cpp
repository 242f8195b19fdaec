#include "os/fork.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "os/task_limits.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"

namespace serval::os {
namespace {

/// What the middle process reports: the new process's pid, or why there is none.
struct Report {
  pid_t pid = -1;
  int error = 0;
};

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { restore(); }
  void restore() const { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

[[noreturn]] void live_as_child(const std::function<int()>& child) {
  int code = exit_code::internal;
  try {
    code = child();
  // `child` says itself what went wrong; what escapes is a bug, but must not run this copy of main's handlers
  } catch (...) {
  }
  ::_exit(code);
}

/// The middle process, in the memory of the caller, which waits: nothing here may return, allocate or run signal
/// handlers.
[[noreturn]] void fork_and_leave(int report_fd, int read_fd, const SignalsBlocked& mask,
                                 const std::function<int()>& child) {
  Report report;
  report.pid = ::fork();
  if (report.pid == 0) {
    ::close(report_fd);
    ::close(read_fd);
    mask.restore();
    live_as_child(child);
  }
  report.error = errno;
  ssize_t written = 0;
  do {
    written = ::write(report_fd, &report, sizeof report);
  } while (written < 0 && errno == EINTR);
  ::_exit(0);
}

Report read_report(int fd) {
  Report report;
  ssize_t got = 0;
  do {
    got = ::read(fd, &report, sizeof report);
  } while (got < 0 && errno == EINTR);
  return got == sizeof report ? report : Report{-1, ECHILD};
}

Error cannot_fork(int error) {
  return Error{"cannot fork: " + errno_text(error) + (error == EAGAIN ? ": " + why_no_more_tasks(task_limits()) : "")};
}

}  // namespace

Result<void> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return Error{"cannot become a child subreaper: " + errno_text()};
  }
  return {};
}

Result<pid_t> fork_sibling(const std::function<int()>& child) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"cannot fork: no pipe for it: " + errno_text()};
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);

  const SignalsBlocked mask;
  // A fork copies the page tables, which takes milliseconds after a large preload: once is enough. The middle process
  // borrows ours (vfork(2)).
  const pid_t middle = ::vfork();
  if (middle == 0) fork_and_leave(write_end.get(), read_end.get(), mask, child);
  if (middle < 0) return cannot_fork(errno);
  write_end.reset();
  const Report report = read_report(read_end.get());
  wait_for(middle);
  if (report.pid < 0) return cannot_fork(report.error);
  return report.pid;
}

}  // namespace serval::os
