#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Names of signals (signal(7)), and the signal state that a child must not inherit.
namespace serval::os {

/// "SIGTERM" for 15; "SIGRTMIN+1" for a real-time signal; "signal 99" for what has no name.
std::string signal_name(int number);
/// Reads "TERM", "SIGTERM", "sigterm", "RTMIN+1" or "15"; none if there is no such signal.
std::optional<int> signal_number(std::string_view name);

/// Every disposition back to its default, nothing blocked: what a program expects to start with. For a freshly forked child; async-signal-safe.
void restore_default_signals();

/// Every signal waits (pthread_sigmask(3)), also across an exec, until they are let in again. For the time in which there are no handlers.
void hold_signals();
void let_signals_in();

/// A peer that closes its end must show as EPIPE where we write, not kill us. Once at the start of a process.
void ignore_sigpipe();

}  // namespace serval::os
