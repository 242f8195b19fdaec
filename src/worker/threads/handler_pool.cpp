#include "worker/threads/handler_pool.hpp"

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

/// A handler has overstayed after one to two of these. Short enough that others do not notice, long enough that nearly
/// no handler does.
constexpr auto kTick = 1ms;
/// While no handler does anything of the kind: the first one that does holds others up for a little longer.
constexpr auto kCalmTick = 2ms;
/// Ticks without a handler after which the watch stands down, so that an idle worker sleeps.
constexpr int kIdleTicks = 4;
/// A handler in the pool counts as one that would have overstayed if it took longer than this.
constexpr auto kOverstay = 1500us;

thread_local int t_thread_number = -1;

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

HandlerPool::HandlerPool(boost::asio::io_context& io, int threads, int queue_limit, Hooks hooks)
    : io_(io), threads_(threads), queue_limit_(queue_limit), hooks_(std::move(hooks)) {}

HandlerPool::~HandlerPool() { SERVAL_CHECK(pool_threads_.empty()); }

Result<void> HandlerPool::start() try {
  // Signals are the main thread's: an app's own handlers and sigwait must not find them on ours.
  const SignalsHeldBack none_for_threads;
  pool_threads_.reserve(static_cast<std::size_t>(threads_));
  while (pool_threads_.size() < static_cast<std::size_t>(threads_)) {
    pool_threads_.emplace_back([this, number = static_cast<int>(pool_threads_.size()) + 1] {
      begin_thread(number);
      run_thread();
    });
  }
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return begun_ == threads_; });
  return {};
} catch (const std::system_error& error) {
  const std::size_t made = pool_threads_.size();
  end_threads();
  return Error{"cannot start thread " + std::to_string(made + 1) + " of " + std::to_string(threads_) + ": " +
               errno_text(error.code().value()) + ": " + os::why_no_more_tasks(os::task_limits())};
}

void HandlerPool::run() {
  SERVAL_CHECK(pool_threads_.size() == static_cast<std::size_t>(threads_));
  begin_thread(0);
  run_loop();
  run_thread();
  end_threads();
}

void HandlerPool::end_threads() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : pool_threads_) thread.join();
  pool_threads_.clear();
}

void HandlerPool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  io_.stop();
  wake_.notify_all();
}

int HandlerPool::thread_number() { return t_thread_number; }

void HandlerPool::begin_thread(int number) {
  t_thread_number = number;
  hooks_.thread_starts();
  if (number == 0) return;
  std::lock_guard lock(mutex_);
  ++begun_;
  wake_.notify_all();
}

void HandlerPool::run_loop() {
  clockid_t clock{};
  if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0) loop_clock_.store(clock);
  hooks_.has_loop();
  try {
    io_.run();
  } catch (const LostLoop&) {
  }
}

void HandlerPool::run_thread() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!queue_.empty() && acquire_permit()) {
      Task& task = *queue_.front();
      queue_.pop_front();
      queue_changed();
      lock.unlock();
      run_from_pool(task);
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
      run_loop();
      lock.lock();
    } else {
      wake_.wait(lock);
    }
  }
}

/// Ticks until a handler overstays (true: the loop is ours now) or there has been nothing to watch for a while.
bool HandlerPool::watch() {
  std::uint64_t last = turn_.load();
  int idle_ticks = 0;
  LoopLoad load(sample_loop(Clock::now()));
  while (true) {
    std::this_thread::sleep_for(profile_.calm() ? kCalmTick : kTick);
    look_at_next_.store(true, std::memory_order_relaxed);
    if (const TimePoint time = Clock::now(); load.due(time)) {
      hooks_.on_load(load.overloaded(sample_loop(time)));
      hooks_.look_around(false);
    }
    std::uint64_t now = turn_.load();
    const bool inside_handler = now % 2 == 1;
    if (now != last) {
      idle_ticks = 0;
    } else if (inside_handler) {
      if (turn_.compare_exchange_strong(now, now + 1)) {
        profile_.record_overrun();
        return true;
      }
      now = turn_.load();
    } else if (++idle_ticks >= kIdleTicks) {
      // Sequentially consistent with submit: either it sees that nobody watches, or we see its turn.
      watch_wanted_.store(false);
      if (turn_.load() == now) {
        hooks_.on_load(false);
        hooks_.look_around(true);
        return false;
      }
      watch_wanted_.store(true);
      idle_ticks = 0;
    }
    last = now;
  }
}

LoopLoad::Sample HandlerPool::sample_loop(TimePoint now) const {
  timespec used{};
  ::clock_gettime(loop_clock_.load(), &used);
  return {.at = now,
          .cpu = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec),
          .requests = submitted_.load(std::memory_order_relaxed)};
}

bool HandlerPool::acquire_permit() {
  if (running_.fetch_add(1) < threads_) return true;
  release_permit();
  return false;
}

void HandlerPool::want_watch() {
  watch_wanted_.store(true);
  wake_one();
}

void HandlerPool::wake_one() {
  std::lock_guard lock(mutex_);  // a thread between its look at the state and its wait would miss the call
  wake_.notify_one();
}

/// With the mutex: who is told of one length after another is told of the last one last.
void HandlerPool::queue_changed() {
  waiting_.store(static_cast<int>(queue_.size()));
  hooks_.on_queue();
}

void HandlerPool::look_at_queue() {
  std::lock_guard lock(mutex_);
  hooks_.on_queue();
}

HandlerPool::Accepted HandlerPool::submit(Task& task) {
  submitted_.store(submitted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const bool here = waiting() == 0 && !profile_.use_pool() && acquire_permit();
  if (!here) {
    if (waiting() >= queue_limit_ && running() >= threads_) return Accepted::refused;
    std::lock_guard lock(mutex_);
    queue_.push_back(&task);
    queue_changed();
    wake_.notify_one();
    return Accepted::pending;
  }
  std::uint64_t turn = turn_.load(std::memory_order_relaxed) + 1;
  turn_.store(turn);
  if (!watch_wanted_.load()) want_watch();
  run_here(task);
  release_permit();
  if (turn_.compare_exchange_strong(turn, turn + 1)) {
    profile_.record_quick();
    if (waiting() > 0) wake_one();
    return Accepted::ran;
  }
  finish_elsewhere(task);
  throw LostLoop{};
}

/// One handler of each tick is looked at: at a rate that costs nothing, and whichever request happens to be next.
void HandlerPool::run_here(Task& task) {
  if (!look_at_next_.load(std::memory_order_relaxed)) return task.run(false);
  look_at_next_.store(false, std::memory_order_relaxed);
  const os::SleepWatch watch;
  task.run(false);
  profile_.record_sleep(watch.slept());
}

void HandlerPool::run_from_pool(Task& task) {
  const auto begin = std::chrono::steady_clock::now();
  const os::SleepWatch watch;
  task.run(true);
  release_permit();
  profile_.record_sleep(watch.slept());
  std::chrono::steady_clock::now() - begin > kOverstay ? profile_.record_overrun() : profile_.record_quick();
  finish_elsewhere(task);
  hooks_.look_around(false);
}

void HandlerPool::finish_elsewhere(Task& task) {
  boost::asio::post(io_, [&task] { task.done(); });
}

bool HandlerPool::withdraw(Task& task) {
  std::lock_guard lock(mutex_);
  const auto found = std::find(queue_.begin(), queue_.end(), &task);
  if (found == queue_.end()) return false;
  queue_.erase(found);
  queue_changed();
  return true;
}

Task* HandlerPool::withdraw_first() {
  std::lock_guard lock(mutex_);
  if (queue_.empty()) return nullptr;
  Task* const first = queue_.front();
  queue_.pop_front();
  queue_changed();
  return first;
}

void HandlerPool::put_back(Task& task) {
  std::lock_guard lock(mutex_);
  queue_.push_front(&task);
  queue_changed();
  wake_.notify_one();
}

}  // namespace serval::worker
