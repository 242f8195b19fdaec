#include "stack/capture.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <type_traits>

#include "stack/alternate_stack.hpp"

namespace serval::stack {
namespace {

static_assert(std::is_trivially_copyable_v<Frames> && std::is_trivially_copyable_v<Crash>);

/// A real-time signal, since the named ones belong to apps and their run-times; from the end of the range, since people
/// count from its beginning (SIGRTMIN+1), and not the very last, which is the next one that people take.
int asking_signal() { return SIGRTMAX - 1; }

constexpr std::array kDeadly = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

// --- frames

/// Our own innermost frames where the interrupted instruction is not among the addresses: collect, handler, trampoline.
constexpr int kOwnFrames = 3;
/// Room for them, and for those that a sanitizer puts around a handler.
constexpr int kSpare = 12;

#if defined(__x86_64__)
std::uint64_t instruction_of(const ucontext_t& context) {
  return static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
}
/// To where the call that led to the first instruction of a function came from, less one so that it lies in the call.
void undo_call(ucontext_t& context) {
  greg_t& stack_pointer = context.uc_mcontext.gregs[REG_RSP];
  context.uc_mcontext.gregs[REG_RIP] = *reinterpret_cast<const greg_t*>(stack_pointer) - 1;
  stack_pointer += static_cast<greg_t>(sizeof(greg_t));
}
#elif defined(__aarch64__)
std::uint64_t instruction_of(const ucontext_t& context) { return context.uc_mcontext.pc; }
void undo_call(ucontext_t& context) { context.uc_mcontext.pc = context.uc_mcontext.regs[30] - 1; }
#else
std::uint64_t instruction_of(const ucontext_t&) { return 0; }
void undo_call(ucontext_t&) {}
#endif

void append(Frames& frames, std::uint64_t address) {
  if (frames.count < kMaxFrames) frames.address[static_cast<std::size_t>(frames.count++)] = address;
}

/// Call it from a handler itself. backtrace(3) is safe there once it has been called before: since glibc 2.35 and GCC
/// 12 the unwinder finds its tables without a lock (_dl_find_object).
[[gnu::noinline]] Frames collect(const ucontext_t& context) {
  std::array<void*, kMaxFrames + kSpare> raw;
  const int count = std::max(::backtrace(raw.data(), static_cast<int>(raw.size())), 0);
  const auto end = raw.begin() + count;
  const std::uint64_t interrupted = instruction_of(context);
  auto from = std::find(raw.begin(), end, reinterpret_cast<void*>(interrupted));
  Frames frames;
  frames.thread = ::gettid();
  if (from == end) {  // an unknown processor, or ThreadSanitizer, which calls handlers when it suits it
    if (interrupted != 0) append(frames, interrupted);
    from = raw.begin() + std::min(kOwnFrames, count);
  }
  for (; from != end; ++from) append(frames, reinterpret_cast<std::uint64_t>(*from));
  return frames;
}

/// A call through a null or wild pointer, and above it whence: the unwinder finds no way out of a place that is no
/// code, so it is shown the moment before the call.
[[gnu::noinline]] Frames collect_above_wild_jump(ucontext_t& context) {
  const mcontext_t before = context.uc_mcontext;
  Frames frames;
  append(frames, instruction_of(context));
  undo_call(context);
  const Frames above = collect(context);
  context.uc_mcontext = before;  // for the core dump
  frames.thread = above.thread;
  for (int i = 0; i < above.count; ++i) append(frames, above.address[static_cast<std::size_t>(i)] + (i == 0 ? 1 : 0));
  return frames;
}

// --- asking

constexpr std::size_t kMaxThreads = 1100;

enum class State : std::uint32_t { idle, asked, answered };

/// One enlisted thread. One word, so that a change is for that very thread and not for the next one in its place.
struct Cell {
  pid_t thread = 0;
  State state = State::idle;
};
static_assert(std::atomic<Cell>::is_always_lock_free);

std::array<std::atomic<Cell>, kMaxThreads> cells;
/// Written by the thread while its cell says asked, read while it says answered.
std::array<Frames, kMaxThreads> answers;

/// kMaxThreads: none.
std::size_t cell_of(pid_t thread) {
  std::size_t i = 0;
  while (i < kMaxThreads && cells[i].load(std::memory_order_acquire).thread != thread) ++i;
  return i;
}

bool change(std::size_t cell, Cell from, State to) {
  return cells[cell].compare_exchange_strong(from, Cell{from.thread, to}, std::memory_order_acq_rel);
}

void on_ask(int, siginfo_t*, void* context) {
  const int error = errno;
  const Cell asked{::gettid(), State::asked};
  const std::size_t cell = cell_of(asked.thread);
  if (cell < kMaxThreads && cells[cell].load(std::memory_order_acquire).state == State::asked) {
    answers[cell] = collect(*static_cast<const ucontext_t*>(context));
    change(cell, asked, State::answered);
  }
  errno = error;
}

/// An unhandled real-time signal kills, and what a foreign handler makes of ours is unknown.
bool handler_is_ours() {
  struct sigaction now {};
  return ::sigaction(asking_signal(), nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
         now.sa_sigaction == on_ask;
}

/// A thread's place in the table, from its enlisting to its end.
class Enlisted {
 public:
  Enlisted() : thread_(::gettid()) {
    for (auto& cell : cells) {
      Cell free;
      if (cell.compare_exchange_strong(free, Cell{thread_, State::idle}, std::memory_order_acq_rel)) break;
    }
    sigset_t ours;
    ::sigemptyset(&ours);
    ::sigaddset(&ours, asking_signal());
    for (const int number : kDeadly) ::sigaddset(&ours, number);
    ::pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
  }
  ~Enlisted() {
    if (const std::size_t cell = cell_of(thread_); cell < kMaxThreads) {
      cells[cell].store(Cell{}, std::memory_order_release);
    }
  }
  Enlisted(const Enlisted&) = delete;
  Enlisted& operator=(const Enlisted&) = delete;

 private:
  pid_t thread_;
  AlternateStack stack_;
};

// --- crashes

/// How far the one crash that is reported has come. A second deadly signal on the same thread means that this step has
/// crashed too: a stack that is overwritten leads the unwinder astray, for one.
enum class Step { collecting, reporting, passing_on, ending };

std::atomic<CrashReport> crash_report;
std::atomic<pid_t> crash_process;  ///< a child that the app forks has our handlers, but is not ours to report
std::atomic<pid_t> crashed_thread;
Step crash_step = Step::collecting;  // this and what follows belongs to crashed_thread
Crash crash;
siginfo_t crash_info;
std::array<struct sigaction, kDeadly.size()> actions_before;  ///< the app's own, set before ours

/// A crash reporter of the app's, Python's faulthandler: as if ours were not there. Returns if there is none, or when
/// it does.
void pass_on(int number, siginfo_t* info, void* context) {
  const auto index = static_cast<std::size_t>(std::find(kDeadly.begin(), kDeadly.end(), number) - kDeadly.begin());
  if (index == kDeadly.size()) return;
  const struct sigaction& before = actions_before[index];
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(number, info, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) before.sa_handler(number);
}

/// With the same siginfo, so that a debugger sees in the core dump what happened.
[[noreturn]] void end_by(int number, siginfo_t info) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(number, &standard, nullptr);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), ::gettid(), number, &info);
  ::tgkill(::getpid(), ::gettid(), number);
  // PID 1 survives the default action of its own signals (pid_namespaces(7)); this is what a shell would say.
  ::_exit(128 + number);
}

Crash begin_crash(int number, const siginfo_t& info, const ucontext_t& context) {
  Crash begun;
  begun.signal = number;
  const bool has_sender = info.si_code == SI_USER || info.si_code == SI_TKILL || info.si_code == SI_QUEUE;
  if (has_sender && info.si_pid != ::getpid()) begun.sender = info.si_pid;
  // Only the kernel's own codes are positive.
  if (info.si_code > 0) begun.fault_address = reinterpret_cast<std::uint64_t>(info.si_addr);
  begun.frames.thread = ::gettid();
  append(begun.frames, instruction_of(context));
  return begun;
}

void on_deadly_signal(int number, siginfo_t* info, void* context_pointer) {
  ucontext_t& context = *static_cast<ucontext_t*>(context_pointer);
  if (::getpid() != crash_process.load()) {
    if (crash_step == Step::collecting) {
      crash_step = Step::passing_on;
      pass_on(number, info, context_pointer);
    }
    end_by(number, *info);
  }
  const pid_t thread = ::gettid();
  pid_t first = 0;
  if (crashed_thread.compare_exchange_strong(first, thread)) {
    crash_info = *info;
    crash = begin_crash(number, *info, context);
    const bool wild_jump =
        (number == SIGSEGV || number == SIGBUS) && info->si_code > 0 && crash.fault_address == instruction_of(context);
    crash.frames = wild_jump ? collect_above_wild_jump(context) : collect(context);
  } else if (first != thread) {
    for (;;) ::pause();  // the process is about to end
  }
  if (crash_step == Step::collecting) {
    crash_step = Step::reporting;
    crash_report.load()(crash);
  }
  if (crash_step == Step::reporting) {
    crash_step = Step::passing_on;
    pass_on(number, info, context_pointer);
  }
  crash_step = Step::ending;
  end_by(crash.signal, crash_info);
}

}  // namespace

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

void on_crash(CrashReport report) {
  crash_report.store(report);
  crash_process.store(::getpid());
  struct sigaction action {};
  action.sa_sigaction = on_deadly_signal;
  // A crash within the handler must reach it again, to be reported with what is known; other signals have to wait.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigfillset(&action.sa_mask);
  for (const int number : kDeadly) ::sigdelset(&action.sa_mask, number);
  for (std::size_t i = 0; i < kDeadly.size(); ++i) ::sigaction(kDeadly[i], &action, &actions_before[i]);
}

}  // namespace serval::stack
