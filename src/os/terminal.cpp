#include "os/terminal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "os/unique_fd.hpp"

namespace serval::os {
namespace {

using Handler = void (*)(int);

std::atomic<Handler> on_hangup = nullptr;
std::atomic<Handler> on_input = nullptr;
std::atomic<Handler> on_output = nullptr;
std::atomic<bool> by_kernel = false;
std::atomic<bool> by_session_leader = false;
// They are used in handlers.
static_assert(std::atomic<Handler>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

bool is_from_kernel(const siginfo_t& info) { return info.si_code == SI_KERNEL; }

void filter_hangup(int number, siginfo_t* info, void*) {
  if (is_from_kernel(*info)) by_kernel.store(true);
  if (info->si_code == SI_USER && info->si_pid > 0 && info->si_pid == ::getsid(0)) by_session_leader.store(true);
  on_hangup.load()(number);
}

void filter_input(int number, siginfo_t* info, void*) {
  if (!is_from_kernel(*info)) on_input.load()(number);
}

void filter_output(int number, siginfo_t* info, void*) {
  if (!is_from_kernel(*info)) on_output.load()(number);
}

/// Not before a signal that is ignored or at its default: there is nothing to be filtered.
void put_before(int number, std::atomic<Handler>& next, void (*filter)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  if (::sigaction(number, nullptr, &action) != 0 || (action.sa_flags & SA_SIGINFO) != 0) return;
  if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) return;
  next.store(action.sa_handler);
  action.sa_sigaction = filter;
  action.sa_flags |= SA_SIGINFO;
  ::sigaction(number, &action, nullptr);
}

}  // namespace

/// Opening it fails with ENXIO or EIO once it has hung up, or if there never was one.
bool has_terminal() {
  return static_cast<bool>(UniqueFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)));
}

void filter_terminal_signals() {
  put_before(SIGHUP, on_hangup, filter_hangup);
  put_before(SIGTTIN, on_input, filter_input);
  put_before(SIGTTOU, on_output, filter_output);
}

Hangup take_hangup() { return {by_kernel.exchange(false), by_session_leader.exchange(false)}; }

}  // namespace serval::os
