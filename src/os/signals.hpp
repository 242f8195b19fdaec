#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <string_view>

/// Names of signals (signal(7)), and the signal state that a child must not inherit.
namespace serval::os {

/// "SIGTERM" for 15; "SIGRTMIN+1" for a real-time signal; "signal 99" for what has no name.
std::string signal_name(int number);
/// Reads "TERM", "SIGTERM", "sigterm", "RTMIN+1" or "15"; none if there is no such signal.
std::optional<int> signal_number(std::string_view name);

/// Every disposition back to its default, nothing blocked: what a program expects to start with. For a freshly forked
/// child; async-signal-safe.
void restore_default_signals();

/// It is ignored: as nohup(1) leaves HUP, for all that follows.
bool is_ignored(int number);

/// Every signal waits (pthread_sigmask(3)), also across an exec, until they are let in again. For the time in which
/// there are no handlers.
void hold_signals();
void let_signals_in();

enum class Process { master, mold, worker };

enum class Reaction {
  standard,      ///< the default action, which ends or stops the process
  passes_over,   ///< nothing: a system call fails instead, or other code sees to it
  handles,       ///< the code of the process has a handler for it
};

/// What our processes do on a signal that a user, a terminal, a limit or a device may send them, and that ends or stops
/// a process that does not expect it. One table: no process applies anything else. Signals that tell of a fault of the
/// program (SIGSEGV, SIGSYS...) are not in it: they end it.
struct SignalReaction {
  int number;
  Reaction master, mold, worker;
  std::string_view from;  ///< where it comes from, if not from a user
};

inline constexpr SignalReaction kSignalReactions[] = {
    {SIGTERM, Reaction::handles, Reaction::passes_over, Reaction::handles,
     "a service manager, which may signal every process"},
    {SIGINT, Reaction::handles, Reaction::passes_over, Reaction::handles, "Ctrl-C, for every process of the group"},
    {SIGQUIT, Reaction::handles, Reaction::passes_over, Reaction::passes_over,
     "Ctrl-\\, for every process of the group"},
    {SIGHUP, Reaction::handles, Reaction::passes_over, Reaction::passes_over, "a terminal that closes"},
    {SIGUSR1, Reaction::handles, Reaction::passes_over, Reaction::passes_over, ""},
    {SIGUSR2, Reaction::handles, Reaction::passes_over, Reaction::passes_over, ""},
    {SIGTTIN, Reaction::handles, Reaction::passes_over, Reaction::passes_over,
     "a read of the terminal by a background job"},
    {SIGTTOU, Reaction::handles, Reaction::passes_over, Reaction::passes_over, "a write to it after `stty tostop`"},
    {SIGPIPE, Reaction::passes_over, Reaction::passes_over, Reaction::passes_over,
     "a client or a log reader that is gone: EPIPE says so"},
    {SIGXFSZ, Reaction::passes_over, Reaction::passes_over, Reaction::passes_over,
     "a file as large as RLIMIT_FSIZE allows: EFBIG says so"},
    {SIGXCPU, Reaction::passes_over, Reaction::passes_over, Reaction::handles,
     "RLIMIT_CPU; a worker has a while until the hard limit kills it"},
    {SIGALRM, Reaction::passes_over, Reaction::passes_over, Reaction::passes_over,
     "alarm(2) of the program that exec'd us: it outlives the exec"},
    {SIGVTALRM, Reaction::passes_over, Reaction::passes_over, Reaction::passes_over, "setitimer(2), likewise"},
    {SIGPROF, Reaction::passes_over, Reaction::passes_over, Reaction::passes_over,
     "setitimer(2), likewise; a profiler that has just ended"},
    {SIGIO, Reaction::passes_over, Reaction::passes_over, Reaction::passes_over,
     "O_ASYNC on a terminal or pipe that we share with others"},
    {SIGPWR, Reaction::passes_over, Reaction::passes_over, Reaction::passes_over, "a power supply; TERM follows"},
};

/// Puts the table in force. A mold and a worker begin with everything else at its default and nothing blocked, and no
/// signal of the table finds a default on the way. A worker keeps the handlers that the app has set while it was
/// loaded. By handlers, not by SIG_IGN: a program that the app starts gets the default back (execve(2)). The master
/// leaves alone what it handles, and what is not in the table.
void react_as(Process process);

/// A peer that closes its end must show as EPIPE where we write, not kill us. For commands; the processes of a server
/// have the table.
void ignore_sigpipe();

}  // namespace serval::os
