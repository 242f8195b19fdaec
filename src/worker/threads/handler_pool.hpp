#pragma once

#include <time.h>

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "worker/threads/handler_profile.hpp"
#include "worker/threads/loop_load.hpp"

namespace serval::worker {

/// One call of the app. Lives in the exchange it serves; the pool only borrows it.
class Task {
 public:
  /// Runs the handler; on an app thread, without the loop's state in reach. Must not throw.
  /// `waited`: it stood in the queue; otherwise it runs at the moment it was submitted.
  virtual void run(bool waited) = 0;
  /// The handler has returned; on the loop.
  virtual void done() = 0;

 protected:
  ~Task() = default;
};

/// The threads of a worker: `threads` that may run handlers at a time, and one more, so that the I/O loop always has a
/// thread. They are all alike; exactly one has the loop, i.e. runs the io_context and may touch what belongs to it.
///
/// Who runs the handler (tests/bench/README.md has the figures): the thread that has the loop runs it at once, without
/// handing anything over, as long as handlers return quickly. A watching thread ticks while there is work; a handler
/// that it finds running at two ticks in a row has overstayed: the watcher takes the loop over and goes on serving, and
/// the overstayed thread hands in its answer when the handler returns. When handlers keep overstaying, or sleep for a
/// while on average without doing so, requests go straight to the pool (worker/threads/handler_profile.hpp). With all
/// `threads` busy, requests wait in a queue.
///
/// Life time: constructed, started and run on the worker's main thread, outlived by everything that posts tasks.
class HandlerPool {
 public:
  /// What else is to be done by its threads.
  struct Hooks {
    std::function<void()> thread_starts = [] {};  ///< by each of them, first thing
    std::function<void()> has_loop = [] {};       ///< by the one that has just got the loop
    /// Some times a second, by the one that watches it: whether the loop hardly keeps up
    /// (worker/threads/loop_load.hpp).
    std::function<void(bool)> on_load = [](bool) {};
    /// By any thread, after handlers: what they may have done to serval. `surely`: there may be no other occasion.
    std::function<void(bool surely)> look_around = [](bool) {};
    /// Whenever tasks have joined the queue or left it, by whichever thread has done that; one call at a time,
    /// waiting() is right meanwhile. Must be quick.
    std::function<void()> on_queue = [] {};
  };
  HandlerPool(boost::asio::io_context& io, int threads, int queue_limit, Hooks hooks);
  ~HandlerPool();
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  /// Starts the other threads; once it returns all of them run. The error says which one the system would not make, and
  /// for what limit; there is none then. Once, before run().
  Result<void> start();
  /// Becomes one of the threads; returns once stop() was called and every handler has returned.
  void run();
  /// From the loop: ends run(). Handlers that are still running are waited for.
  void stop();

  enum class Accepted { ran, pending, refused };
  /// From the loop: runs `task` now (`ran`: done() has not been called, the caller goes on itself) or later (`pending`:
  /// done() will be called on the loop), or refuses it because the queue is full. If the loop is lost while `task`
  /// runs, this does not return to the caller: it throws LostLoop past it, and nothing of the loop's may be touched on
  /// the way.
  Accepted submit(Task& task);
  /// From the loop: takes a task that still waits out of the queue. False if a thread has it already.
  bool withdraw(Task& task);
  /// From the loop: takes out the task that has waited for the longest; null: none waits.
  Task* withdraw_first();
  /// From the loop: a task that was taken out waits on, before all others.
  void put_back(Task& task);

  /// Calls on_queue, for what else it counts.
  void look_at_queue();

  /// From the loop: whether submit() would take a task.
  bool has_room() const { return waiting() < queue_limit_; }

  /// Handlers running now, and tasks waiting. Any thread.
  int running() const { return running_.load(std::memory_order_relaxed); }
  int waiting() const { return waiting_.load(std::memory_order_relaxed); }
  /// A new request would have to wait.
  bool saturated() const { return waiting() > 0 || running() >= threads_; }

  /// The calling thread's number in its pool, 0 to `threads`; -1 on a thread that is in none.
  static int thread_number();

  /// Unwinds a thread that lost the loop out of io_context::run. Caught by the pool only.
  struct LostLoop {};

 private:
  void begin_thread(int number);
  void end_threads();
  void run_thread();
  void run_loop();
  bool watch();
  LoopLoad::Sample sample_loop(TimePoint now) const;
  void run_here(Task& task);
  void run_from_pool(Task& task);
  void finish_elsewhere(Task& task);
  void want_watch();
  void wake_one();
  void queue_changed();
  bool acquire_permit();
  void release_permit() { running_.fetch_sub(1); }

  boost::asio::io_context& io_;
  const int threads_;
  const int queue_limit_;
  const Hooks hooks_;

  // Counts handlers started and ended by whoever has the loop: odd while it is inside a handler. Taking the loop over
  // is moving the count on in the handler's stead; the overstayed thread then finds that it moved and knows.
  std::atomic<std::uint64_t> turn_{0};
  std::atomic<clockid_t> loop_clock_{CLOCK_THREAD_CPUTIME_ID};  // of the thread that has the loop
  std::atomic<std::uint64_t> submitted_{0};
  std::atomic<bool> watch_wanted_{false};
  std::atomic<int> running_{0};  // permits taken: handlers inside the loop, overstayed ones and those in the pool
  std::atomic<int> waiting_{0};
  std::atomic<bool> look_at_next_{false};  // whether the next handler that runs here sleeps
  HandlerProfile profile_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task*> queue_;
  bool watched_ = false;
  bool stopping_ = false;
  int begun_ = 0;  ///< of pool_threads_
  std::vector<std::thread> pool_threads_;
};

}  // namespace serval::worker
