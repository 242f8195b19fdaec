#include "os/stop_signal.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/errno_text.hpp"
#include "os/own_fds.hpp"

namespace serval::os {
namespace {

std::atomic<bool> asked = false;
std::atomic<int> event_fd = -1;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int) {
  const int before = errno;
  asked = true;
  const std::uint64_t one = 1;
  static_cast<void>(::write(event_fd, &one, sizeof one));  // fails after 2^64 of them, when it is readable anyway
  errno = before;
}

}  // namespace

Result<void> listen_for_stop(const std::vector<int>& signals, bool once) {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return Error{"cannot listen for signals: " + errno_text()};
  event_fd = among_own(std::move(fd)).release();  // for the rest of the process's life
  for (const int number : signals) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART | (once ? static_cast<int>(SA_RESETHAND) : 0);
    if (::sigaction(number, &action, nullptr) != 0) return Error{"cannot listen for signals: " + errno_text()};
  }
  return {};
}

bool stop_asked() { return asked; }

int stop_fd() { return event_fd; }

}  // namespace serval::os
