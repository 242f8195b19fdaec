#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/frames.hpp"

/// Where the threads of a worker are: asked while they run (stacks), or when one of them dies (crash report). Addresses
/// only; stack/names.hpp names them, in another process.
namespace serval::stack {

/// Once per worker process, on its main thread, before other threads exist: forgets what the forking process had
/// enlisted, warms up the unwinder (the first call of backtrace(3) loads libgcc, which allocates), and installs the
/// handler of the asking signal.
void prepare();

/// For each thread that may be asked or may crash (also the main one), by that thread, once, after prepare(): unblocks
/// the asking signal and the deadly ones for it (a fault whose signal is blocked kills without a handler, signal(7)),
/// and gives it an alternate signal stack (sigaltstack(2)), so that a stack overflow can be reported too. That stack's
/// pages exist only once they are used, and it is freed when the thread ends. From then on the thread cannot be asked
/// any more.
void enlist_thread();

/// Those that live now. Any thread.
std::vector<pid_t> enlisted_threads();

/// Asks an enlisted thread of this process where it is; never blocks. Asking again what has not answered yet changes
/// nothing; an old answer that was not taken is dropped. False: it is not enlisted, has ended, or other code has
/// replaced our signal handler. ask and answer: any thread, but one at a time.
bool ask(pid_t thread);

/// Its answer, once it is there; taking it makes the thread askable again.
std::optional<Frames> answer(pid_t thread);

struct Crash {
  int signal = 0;
  /// Of a signal that another process sent with kill(2), tgkill(2) or sigqueue(3); else 0.
  pid_t sender = 0;
  std::uint64_t fault_address = 0;  ///< si_addr (sigaction(2)) of a signal that the kernel raised for a fault; else 0
  Frames frames;                    ///< of the thread that died
};
/// Must be async-signal-safe (signal-safety(7)) and should not block: the process cannot die before it returns.
using CrashReport = void (*)(const Crash&) noexcept;

/// From now on a deadly signal (SIGSEGV SIGBUS SIGFPE SIGILL SIGABRT SIGTRAP SIGSYS) first calls `report` on the thread
/// that died, then the handler that the app has set before ours, if any, and takes its default action, so that the exit
/// status and the core dump are what they would have been. `report` is called at most once per process, and not in
/// processes that the app forks from this one. After prepare(), and before the app starts: handlers that it sets itself
/// then stay in force.
void on_crash(CrashReport report);

}  // namespace serval::stack
