#include "stack/capture.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>
#include <type_traits>

#include "base/check.hpp"
#include "stack/alternate_stack.hpp"
#include "stack/sampling.hpp"

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
template <std::size_t kMax>
[[gnu::always_inline]] inline int collect_up_to(const ucontext_t& context, std::array<std::uint64_t, kMax>& addresses) {
  std::array<void*, kMax + kSpare> raw;
  const int count = std::max(::backtrace(raw.data(), static_cast<int>(raw.size())), 0);
  const auto end = raw.begin() + count;
  const std::uint64_t interrupted = instruction_of(context);
  auto from = std::find(raw.begin(), end, reinterpret_cast<void*>(interrupted));
  std::size_t found = 0;
  if (from == end) {  // an unknown processor, or ThreadSanitizer, which calls handlers when it suits it
    if (interrupted != 0) addresses[found++] = interrupted;
    from = raw.begin() + std::min(kOwnFrames, count);
  }
  for (; from != end && found < kMax; ++from) addresses[found++] = reinterpret_cast<std::uint64_t>(*from);
  return static_cast<int>(found);
}

[[gnu::noinline]] Frames collect(const ucontext_t& context) {
  Frames frames;
  frames.thread = ::gettid();
  frames.count = collect_up_to(context, frames.address);
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
/// Of the CPU time of each (pthread_getcpuclockid(3)); set a moment after its cell.
constexpr clockid_t kNoClock = CLOCK_REALTIME;
std::array<std::atomic<clockid_t>, kMaxThreads> clocks;
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

// --- sampling

/// What samples are asked by; an address that no other signal brings along.
const char mark_of_samples = 0;

/// Of one thread. Its state says who may touch the rest: the thread while it is asked or taking, the sampler else.
struct SampleCell {
  enum class Turn : std::uint32_t { free, asked, taking, taken };
  std::atomic<Turn> turn{Turn::free};
  Sample sample;
};
/// Pages that no sampling has used do not exist.
std::array<SampleCell, kMaxThreads> samples;
std::atomic<bool> sampling{false};
std::atomic<int> threads_in_sample{0};    ///< at it just now
std::atomic<std::uint64_t> lost_samples{0};
std::atomic<std::uint64_t> sampling_cost{0};  ///< nanoseconds

std::uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);  // signal-safety(7)
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

[[gnu::noinline]] void take_sample(const ucontext_t& context, std::size_t cell, std::uint32_t weight) {
  using Turn = SampleCell::Turn;
  SampleCell& own = samples[cell];
  Turn turn = own.turn.load(std::memory_order_acquire);
  const bool mine = (turn == Turn::free || turn == Turn::asked) &&
                    own.turn.compare_exchange_strong(turn, Turn::taking, std::memory_order_acq_rel);
  if (!mine) {
    lost_samples.fetch_add(weight, std::memory_order_relaxed);
    return;
  }
  own.sample.weight = weight;
  own.sample.count = collect_up_to(context, own.sample.address);
  own.turn.store(Turn::taken, std::memory_order_release);
}

/// A signal of a sampling that is over finds none.
void on_sample(const siginfo_t& info, const ucontext_t& context, std::size_t cell) {
  threads_in_sample.fetch_add(1);
  if (sampling.load() && cell < kMaxThreads) {
    const std::uint64_t begun = monotonic_ns();
    const int missed = info.si_code == SI_TIMER ? std::max(info.si_overrun, 0) : 0;
    take_sample(context, cell, 1 + static_cast<std::uint32_t>(missed));
    sampling_cost.fetch_add(monotonic_ns() - begun, std::memory_order_relaxed);
  }
  threads_in_sample.fetch_sub(1);
}

/// By timers of ours and by ourselves; no other process can make the kernel say so (rt_sigqueueinfo(2)) but by guessing
/// the mark, and then nothing worse comes of it than a sample.
bool asks_for_sample(const siginfo_t& info) {
  return (info.si_code == SI_TIMER || info.si_code == SI_QUEUE) && info.si_value.sival_ptr == &mark_of_samples;
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

// --- the sampler's side

Sampling::Sampling() {
  SERVAL_CHECK(!sampling.load());
  for (auto& cell : samples) {
    if (cell.turn.load(std::memory_order_relaxed) != SampleCell::Turn::free) cell.turn.store(SampleCell::Turn::free);
  }
  lost_samples.store(0);
  sampling_cost.store(0);
  sampling.store(true);
}

/// What a thread is at is waited for: it takes microseconds of that thread's CPU time.
Sampling::~Sampling() {
  for (const timer_t timer : timers_) ::timer_delete(timer);
  sampling.store(false);
  while (threads_in_sample.load() > 0) std::this_thread::yield();
}

Sampling::Asked Sampling::ask(pid_t thread) {
  const std::size_t cell = thread > 0 ? cell_of(thread) : kMaxThreads;
  if (cell == kMaxThreads || !handler_is_ours()) return Asked::cannot;
  SampleCell::Turn turn = SampleCell::Turn::free;
  if (!samples[cell].turn.compare_exchange_strong(turn, SampleCell::Turn::asked)) return Asked::still_asked;
  siginfo_t info{};
  info.si_signo = asking_signal();
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_ptr = const_cast<char*>(&mark_of_samples);
  if (::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread, info.si_signo, &info) == 0) return Asked::asked;
  turn = SampleCell::Turn::asked;
  samples[cell].turn.compare_exchange_strong(turn, SampleCell::Turn::free);
  return Asked::cannot;
}

int Sampling::follow_cpu_time(std::chrono::nanoseconds interval) {
  if (!handler_is_ours()) return 0;
  int followed = 0;
  for (std::size_t i = 0; i < kMaxThreads; ++i) {
    const pid_t thread = cells[i].load(std::memory_order_acquire).thread;
    const clockid_t clock = clocks[i].load();
    if (thread == 0 || clock == kNoClock) continue;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = asking_signal();
    event.sigev_value.sival_ptr = const_cast<char*>(&mark_of_samples);
#ifdef sigev_notify_thread_id
    event.sigev_notify_thread_id = thread;
#else
    event._sigev_un._tid = thread;  // glibc before 2.38 has no name for it
#endif
    timer_t timer{};
    if (::timer_create(clock, &event, &timer) != 0) continue;
    timers_.push_back(timer);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(interval);
    const timespec period{.tv_sec = seconds.count(), .tv_nsec = (interval - seconds).count()};
    const itimerspec when{.it_interval = period, .it_value = period};
    followed += ::timer_settime(timer, 0, &when, nullptr) == 0 ? 1 : 0;
  }
  return followed;
}

void Sampling::take(const std::function<void(const Sample&)>& each) {
  for (SampleCell& cell : samples) {
    if (cell.turn.load(std::memory_order_acquire) != SampleCell::Turn::taken) continue;
    each(cell.sample);
    cell.turn.store(SampleCell::Turn::free, std::memory_order_release);
  }
}

std::uint64_t Sampling::lost() const { return lost_samples.load(); }

std::chrono::nanoseconds Sampling::cost() const { return std::chrono::nanoseconds(sampling_cost.load()); }

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
