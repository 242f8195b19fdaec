#pragma once

#include <signal.h>
#include <sys/types.h>
#include <time.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

/// The table of threads that can be asked where they are, and the signals that concern it. For the files of this
/// folder.
namespace serval::stack {

/// A real-time signal, since the named ones belong to apps and their run-times; from the end of the range, since people
/// count from its beginning (SIGRTMIN+1), and not the very last, which is the next one that people take.
inline int asking_signal() { return SIGRTMAX - 1; }

inline constexpr std::array kDeadly = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

inline constexpr std::size_t kMaxThreads = 1100;

enum class State : std::uint32_t { idle, asked, answered };

/// One enlisted thread. One word, so that a change is for that very thread and not for the next one in its place.
struct Cell {
  pid_t thread = 0;
  State state = State::idle;
};
static_assert(std::atomic<Cell>::is_always_lock_free);

extern std::array<std::atomic<Cell>, kMaxThreads> cells;
/// Of the CPU time of each (pthread_getcpuclockid(3)); set a moment after its cell.
inline constexpr clockid_t kNoClock = CLOCK_REALTIME;
extern std::array<std::atomic<clockid_t>, kMaxThreads> clocks;

/// kMaxThreads: none. Async-signal-safe.
std::size_t cell_of(pid_t thread);

/// An unhandled real-time signal kills, and what a foreign handler makes of ours is unknown.
bool handler_is_ours();

// --- for the handler of the asking signal (sampling.cpp)

/// Else it asks for an answer.
bool asks_for_sample(const siginfo_t& info);
/// `cell` of the calling thread. Async-signal-safe.
void on_sample(const siginfo_t& info, const ucontext_t& context, std::size_t cell);

}  // namespace serval::stack
