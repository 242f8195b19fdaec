#include "os/signals.hpp"

#include <signal.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

namespace serval::os {
namespace {

std::optional<int> read_number(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<int> if_signal(std::optional<int> number) {
  return number && *number > 0 && *number <= SIGRTMAX ? number : std::nullopt;
}

}  // namespace

std::string signal_name(int number) {
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    return number == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  }
  if (const char* name = ::sigabbrev_np(number)) return std::string("SIG") + name;
  return "signal " + std::to_string(number);
}

std::optional<int> signal_number(std::string_view name) {
  if (const auto number = read_number(name)) return if_signal(number);
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper.starts_with("SIG")) upper.erase(0, 3);
  if (upper == "RTMIN") return SIGRTMIN;
  if (upper.starts_with("RTMIN+")) {
    const auto offset = read_number(std::string_view(upper).substr(6));
    return offset && *offset >= 0 && *offset <= SIGRTMAX - SIGRTMIN ? std::optional(SIGRTMIN + *offset) : std::nullopt;
  }
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && upper == known) return number;
  }
  return std::nullopt;
}

void restore_default_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  // Fails for KILL, STOP and libc's own two.
  for (int number = 1; number <= SIGRTMAX; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

namespace {

void pass_over(int) {}

Reaction reaction_of(const SignalReaction& row, Process process) {
  switch (process) {
    case Process::master: return row.master;
    case Process::mold: return row.mold;
    case Process::worker: return row.worker;
  }
  return Reaction::standard;
}

bool has_default(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

void set_standard(int number) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(number, &standard, nullptr);  // fails for KILL, STOP and libc's own two
}

/// The kernel raises TTIN and TTOU anew for each call that is begun again: for them the call fails with EINTR, else it
/// would be for ever.
void set_passed_over(int number) {
  struct sigaction passed {};
  passed.sa_handler = pass_over;
  passed.sa_flags = number == SIGTTIN || number == SIGTTOU ? 0 : SA_RESTART;
  ::sigaction(number, &passed, nullptr);
}

}  // namespace

void react_as(Process process) {
  for (int number = 1; number <= SIGRTMAX; ++number) {
    const auto* row = std::find_if(std::begin(kSignalReactions), std::end(kSignalReactions),
                                   [number](const auto& r) { return r.number == number; });
    const Reaction reaction = row == std::end(kSignalReactions) ? Reaction::standard : reaction_of(*row, process);
    // The disposition is the mold's, or the app has set it while it was loaded: it stays.
    if (process == Process::worker && !has_default(number)) continue;
    if (reaction == Reaction::passes_over) {
      set_passed_over(number);
    } else if (process != Process::master) {
      set_standard(number);
    }
  }
  if (process != Process::master) let_signals_in();
}

bool is_ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_IGN;
}

void hold_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

void let_signals_in() {
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void ignore_sigpipe() {
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignored, nullptr);
}

}  // namespace serval::os
