#include "worker/crew.hpp"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>

#include "base/check.hpp"
#include "base/errno_text.hpp"
#include "os/sleep_watch.hpp"
#include "os/task_limits.hpp"

namespace serval::worker {

namespace {

using namespace std::chrono_literals;

/// A handler has overstayed after one to two of these. Short enough that others do not notice, long enough that nearly no handler does.
constexpr auto kTick = 1ms;
/// While no handler does anything of the kind: the first one that does holds others up for a little longer.
constexpr auto kCalmTick = 2ms;
/// Ticks without a handler after which the watch stands down, so that an idle worker sleeps.
constexpr int kIdleTicks = 4;
/// A handler in the pool counts as one that would have overstayed if it took longer than this.
constexpr auto kOverstay = 1500us;

thread_local int t_member_number = -1;

/// From the calling thread, and from those that it starts meanwhile.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeldBack() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Crew::Crew(boost::asio::io_context& io, int threads, int queue_limit, Hooks hooks)
    : io_(io), threads_(threads), queue_limit_(queue_limit), hooks_(std::move(hooks)) {}

Crew::~Crew() { SERVAL_CHECK(members_.empty()); }

Result<void> Crew::start() try {
  // Signals are the main thread's: an app's own handlers and sigwait must not find them on ours.
  const SignalsHeldBack none_for_members;
  members_.reserve(static_cast<std::size_t>(threads_));
  while (members_.size() < static_cast<std::size_t>(threads_)) {
    members_.emplace_back([this, number = static_cast<int>(members_.size()) + 1] {
      begin_member(number);
      member();
    });
  }
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return begun_ == threads_; });
  return {};
} catch (const std::system_error& error) {
  const std::size_t made = members_.size();
  end_members();
  return Error{"cannot start thread " + std::to_string(made + 1) + " of " + std::to_string(threads_) + ": " + errno_text(error.code().value()) + ": " +
               os::why_no_more_tasks(os::task_limits())};
}

void Crew::run() {
  SERVAL_CHECK(members_.size() == static_cast<std::size_t>(threads_));
  begin_member(0);
  have_loop();
  member();
  end_members();
}

void Crew::end_members() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : members_) thread.join();
  members_.clear();
}

void Crew::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  io_.stop();
  wake_.notify_all();
}

int Crew::member_number() { return t_member_number; }

void Crew::begin_member(int number) {
  t_member_number = number;
  hooks_.thread_starts();
  if (number == 0) return;
  std::lock_guard lock(mutex_);
  ++begun_;
  wake_.notify_all();
}

void Crew::have_loop() {
  clockid_t clock{};
  if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0) loop_clock_.store(clock);
  hooks_.has_loop();
  try {
    io_.run();
  } catch (const LostLoop&) {
  }
}

void Crew::member() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!queue_.empty() && take_seat()) {
      Job& job = *queue_.front();
      queue_.pop_front();
      queue_changed();
      lock.unlock();
      run_from_pool(job);
      lock.lock();
    } else if (watch_wanted_ && !watched_) {
      watched_ = true;
      lock.unlock();
      const bool took_over = watch();
      lock.lock();
      watched_ = false;
      if (!took_over) continue;
      wake_.notify_one();  // somebody else watches the new holder of the loop
      lock.unlock();
      have_loop();
      lock.lock();
    } else {
      wake_.wait(lock);
    }
  }
}

/// Ticks until a handler overstays (true: the loop is ours now) or there has been nothing to watch for a while.
bool Crew::watch() {
  std::uint64_t last = turn_.load();
  int idle_ticks = 0;
  Strain strain(look_at_loop(Clock::now()));
  while (true) {
    std::this_thread::sleep_for(habits_.calm() ? kCalmTick : kTick);
    look_at_next_.store(true, std::memory_order_relaxed);
    if (const TimePoint time = Clock::now(); strain.due(time)) {
      hooks_.on_strain(strain.judge(look_at_loop(time)));
      hooks_.look_around(false);
    }
    std::uint64_t now = turn_.load();
    const bool inside_handler = now % 2 == 1;
    if (now != last) {
      idle_ticks = 0;
    } else if (inside_handler) {
      if (turn_.compare_exchange_strong(now, now + 1)) {
        habits_.overstayed();
        return true;
      }
      now = turn_.load();
    } else if (++idle_ticks >= kIdleTicks) {
      // Sequentially consistent with submit: either it sees that nobody watches, or we see its turn.
      watch_wanted_.store(false);
      if (turn_.load() == now) {
        hooks_.on_strain(false);
        hooks_.look_around(true);
        return false;
      }
      watch_wanted_.store(true);
      idle_ticks = 0;
    }
    last = now;
  }
}

Strain::Look Crew::look_at_loop(TimePoint now) const {
  timespec used{};
  ::clock_gettime(loop_clock_.load(), &used);
  return {.at = now, .cpu = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec), .requests = submitted_.load(std::memory_order_relaxed)};
}

bool Crew::take_seat() {
  if (running_.fetch_add(1) < threads_) return true;
  leave_seat();
  return false;
}

void Crew::want_watch() {
  watch_wanted_.store(true);
  wake_one();
}

void Crew::wake_one() {
  std::lock_guard lock(mutex_);  // a member between its look at the state and its wait would miss the call
  wake_.notify_one();
}

/// With the mutex: who is told of one length after another is told of the last one last.
void Crew::queue_changed() {
  waiting_.store(static_cast<int>(queue_.size()));
  hooks_.on_queue();
}

void Crew::look_at_queue() {
  std::lock_guard lock(mutex_);
  hooks_.on_queue();
}

Crew::Accepted Crew::submit(Job& job) {
  submitted_.store(submitted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const bool here = waiting() == 0 && !habits_.prefer_pool() && take_seat();
  if (!here) {
    if (waiting() >= queue_limit_ && running() >= threads_) return Accepted::refused;
    std::lock_guard lock(mutex_);
    queue_.push_back(&job);
    queue_changed();
    wake_.notify_one();
    return Accepted::pending;
  }
  std::uint64_t turn = turn_.load(std::memory_order_relaxed) + 1;
  turn_.store(turn);
  if (!watch_wanted_.load()) want_watch();
  run_here(job);
  leave_seat();
  if (turn_.compare_exchange_strong(turn, turn + 1)) {
    habits_.was_quick();
    if (waiting() > 0) wake_one();
    return Accepted::ran;
  }
  finish_elsewhere(job);
  throw LostLoop{};
}

/// One handler of each tick is looked at: at a rate that costs nothing, and whichever request happens to be next.
void Crew::run_here(Job& job) {
  if (!look_at_next_.load(std::memory_order_relaxed)) return job.run(false);
  look_at_next_.store(false, std::memory_order_relaxed);
  const os::SleepWatch watch;
  job.run(false);
  habits_.slept(watch.slept());
}

void Crew::run_from_pool(Job& job) {
  const auto begin = std::chrono::steady_clock::now();
  const os::SleepWatch watch;
  job.run(true);
  leave_seat();
  habits_.slept(watch.slept());
  std::chrono::steady_clock::now() - begin > kOverstay ? habits_.overstayed() : habits_.was_quick();
  finish_elsewhere(job);
  hooks_.look_around(false);
}

void Crew::finish_elsewhere(Job& job) {
  boost::asio::post(io_, [&job] { job.done(); });
}

bool Crew::withdraw(Job& job) {
  std::lock_guard lock(mutex_);
  const auto found = std::find(queue_.begin(), queue_.end(), &job);
  if (found == queue_.end()) return false;
  queue_.erase(found);
  queue_changed();
  return true;
}

Job* Crew::withdraw_first() {
  std::lock_guard lock(mutex_);
  if (queue_.empty()) return nullptr;
  Job* const first = queue_.front();
  queue_.pop_front();
  queue_changed();
  return first;
}

void Crew::put_back(Job& job) {
  std::lock_guard lock(mutex_);
  queue_.push_front(&job);
  queue_changed();
  wake_.notify_one();
}

}  // namespace serval::worker
