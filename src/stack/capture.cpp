#include "stack/capture.hpp"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>

#include "stack/alternate_stack.hpp"
#include "stack/collect.hpp"
#include "stack/enlisted.hpp"

namespace serval::stack {

std::array<std::atomic<Cell>, kMaxThreads> cells;
std::array<std::atomic<clockid_t>, kMaxThreads> clocks;

std::size_t cell_of(pid_t thread) {
  std::size_t i = 0;
  while (i < kMaxThreads && cells[i].load(std::memory_order_acquire).thread != thread) ++i;
  return i;
}

namespace {

static_assert(std::is_trivially_copyable_v<Frames>);

/// Written by the thread while its cell says asked, read while it says answered.
std::array<Frames, kMaxThreads> answers;

bool change(std::size_t cell, Cell from, State to) {
  return cells[cell].compare_exchange_strong(from, Cell{from.thread, to}, std::memory_order_acq_rel);
}

void on_ask(int, siginfo_t* info, void* context) {
  const int error = errno;
  const Cell asked{::gettid(), State::asked};
  const std::size_t cell = cell_of(asked.thread);
  if (asks_for_sample(*info)) {
    on_sample(*info, *static_cast<const ucontext_t*>(context), cell);
  } else if (cell < kMaxThreads && cells[cell].load(std::memory_order_acquire).state == State::asked) {
    answers[cell] = collect(*static_cast<const ucontext_t*>(context));
    change(cell, asked, State::answered);
  }
  errno = error;
}

/// A thread's place in the table, from its enlisting to its end.
class Enlisted {
 public:
  Enlisted() : thread_(::gettid()) {
    for (std::size_t i = 0; i < kMaxThreads; ++i) {
      Cell free;
      if (!cells[i].compare_exchange_strong(free, Cell{thread_, State::idle}, std::memory_order_acq_rel)) continue;
      clockid_t clock{};
      clocks[i].store(::pthread_getcpuclockid(::pthread_self(), &clock) == 0 ? clock : kNoClock);
      break;
    }
    sigset_t ours;
    ::sigemptyset(&ours);
    ::sigaddset(&ours, asking_signal());
    for (const int number : kDeadly) ::sigaddset(&ours, number);
    ::pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
  }
  ~Enlisted() {
    if (const std::size_t cell = cell_of(thread_); cell < kMaxThreads) {
      clocks[cell].store(kNoClock);
      cells[cell].store(Cell{}, std::memory_order_release);
    }
  }
  Enlisted(const Enlisted&) = delete;
  Enlisted& operator=(const Enlisted&) = delete;

 private:
  pid_t thread_;
  AlternateStack stack_;
};

}  // namespace

bool handler_is_ours() {
  struct sigaction now {};
  return ::sigaction(asking_signal(), nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
         now.sa_sigaction == on_ask;
}

void prepare() {
  for (auto& cell : cells) cell.store(Cell{}, std::memory_order_release);
  void* one;
  ::backtrace(&one, 1);
  struct sigaction action {};
  action.sa_sigaction = on_ask;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ::sigaction(asking_signal(), &action, nullptr);
}

void enlist_thread() {
  thread_local std::optional<Enlisted> enlisted;
  enlisted.emplace();
}

std::vector<pid_t> enlisted_threads() {
  std::vector<pid_t> threads;
  for (const auto& cell : cells) {
    if (const pid_t thread = cell.load(std::memory_order_acquire).thread; thread != 0) threads.push_back(thread);
  }
  return threads;
}

bool ask(pid_t thread) {
  const std::size_t cell = thread > 0 ? cell_of(thread) : kMaxThreads;
  if (cell == kMaxThreads || !handler_is_ours()) return false;
  const Cell now = cells[cell].load(std::memory_order_acquire);
  if (now.thread != thread) return false;
  if (now.state == State::asked) return true;
  if (!change(cell, now, State::asked)) return false;
  if (::tgkill(::getpid(), thread, asking_signal()) == 0) return true;
  change(cell, {thread, State::asked}, State::idle);
  return false;
}

std::optional<Frames> answer(pid_t thread) {
  const std::size_t cell = thread > 0 ? cell_of(thread) : kMaxThreads;
  if (cell == kMaxThreads || cells[cell].load(std::memory_order_acquire).state != State::answered) return std::nullopt;
  const Frames frames = answers[cell];
  return change(cell, {thread, State::answered}, State::idle) ? std::optional(frames) : std::nullopt;
}

}  // namespace serval::stack
