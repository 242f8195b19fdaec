#include "stack/sampling.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/check.hpp"
#include "stack/collect.hpp"
#include "stack/enlisted.hpp"

namespace serval::stack {
namespace {

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
std::atomic<int> threads_in_sample{0};  ///< at it just now
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

}  // namespace

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

}  // namespace serval::stack
