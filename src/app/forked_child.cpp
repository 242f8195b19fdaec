#include "app/forked_child.hpp"

#include <signal.h>
#include <unistd.h>

#include <string>

#include "base/exit_code.hpp"
#include "base/log.hpp"

namespace serval::app {
namespace {

/// For the log line. Another thread of the parent may have held a lock at the moment of the fork, which no thread here
/// will ever release.
constexpr unsigned kLogTimeoutSeconds = 5;

void end_after_log_timeout() {
  ::signal(SIGALRM, SIG_DFL);
  sigset_t alarm;
  ::sigemptyset(&alarm);
  ::sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  ::alarm(kLogTimeoutSeconds);
}

}  // namespace

void end_forked_child(const char* where) noexcept {
  end_after_log_timeout();
  try {
    log::start_in_child();
    log::error("a child that the app forked came back out of " + std::string(where) + ", ended: it must leave by _exit",
               {{"forked_by", ::getppid()}});
  } catch (...) {  // out of memory: it ends all the same
  }
  ::_exit(exit_code::internal);
}

}  // namespace serval::app
