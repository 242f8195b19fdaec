#include "worker/threads/handler_pool.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <deque>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace serval::worker {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A handler that runs `body` and tells the loop's side when it is done.
struct TestJob final : Task {
  std::function<void()> body = [] {};
  std::function<void(TestJob&)> finished = [](TestJob&) {};
  std::thread::id ran_on;
  bool waited = false;

  void run(bool has_waited) override {
    waited = has_waited;
    ran_on = std::this_thread::get_id();
    body();
  }
  void done() override { finished(*this); }
};

/// A pool on a loop of its own; the test's script is posted to the loop and ends it with stop().
struct HandlerPoolTest : testing::Test {
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};

  /// As a connection does it: `finished` is called for tasks that ran at once, too.
  static HandlerPool::Accepted submit(HandlerPool& pool, TestJob& task) {
    const HandlerPool::Accepted accepted = pool.submit(task);
    if (accepted == HandlerPool::Accepted::ran) task.finished(task);
    return accepted;
  }

  void run(HandlerPool& pool, std::function<void()> script) {
    asio::post(io, std::move(script));
    ASSERT_TRUE(pool.start());
    pool.run();
  }
};

std::size_t memory_now() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Opens once, from any thread.
struct Gate {
  std::promise<void> promise;
  std::shared_future<void> future{promise.get_future()};
  void open() { promise.set_value(); }
  void wait() const { future.wait(); }
};

TEST_F(HandlerPoolTest, QuickHandlersRunAtOnceInsteadOfWaiting) {
  HandlerPool pool(io, 3, 10, {});
  std::vector<TestJob> tasks(1000);
  int finished = 0, waited = 0;
  for (TestJob& task : tasks) {
    task.finished = [&](TestJob& done) {
      if (done.waited) ++waited;
      if (++finished == 1000) pool.stop();
    };
  }
  std::size_t next = 0;
  std::function<void()> submit_next = [&] {
    if (next == tasks.size()) return;
    TestJob& task = tasks[next++];
    asio::post(io, submit_next);
    submit(pool, task);
  };
  run(pool, submit_next);
  EXPECT_EQ(finished, 1000);
  EXPECT_LT(waited, 500);  // a busy machine may preempt a handler for two ticks, and then some wait; most never do
  EXPECT_EQ(pool.running(), 0);
}

TEST_F(HandlerPoolTest, TheLoopGoesOnWhileAHandlerBlocks) {
  HandlerPool pool(io, 2, 10, {});
  Gate gate;
  TestJob blocked;
  bool answered = false;
  std::thread::id loop_before, loop_after;
  blocked.body = [&] { gate.wait(); };
  blocked.finished = [&](TestJob&) {
    answered = true;
    pool.stop();
  };
  run(pool, [&] {
    loop_before = std::this_thread::get_id();
    // Runs only once somebody else has taken the loop over, and only then lets the handler go on.
    asio::post(io, [&] {
      loop_after = std::this_thread::get_id();
      EXPECT_EQ(pool.running(), 1);
      gate.open();
    });
    submit(pool, blocked);
    ADD_FAILURE() << "the thread that lost the loop came back";
  });
  EXPECT_TRUE(answered);
  EXPECT_EQ(blocked.ran_on, loop_before);
  EXPECT_NE(loop_after, loop_before);
}

TEST_F(HandlerPoolTest, WithAllThreadsBlockedRequestsQueueUpToTheLimitAndTheLoopStillRuns) {
  constexpr int kThreads = 3, kQueue = 4;
  HandlerPool pool(io, kThreads, kQueue, {});
  Gate gate;
  std::vector<TestJob> tasks(kThreads + kQueue + 2);
  int finished = 0, refused = 0;
  for (TestJob& task : tasks) {
    task.body = [&] { gate.wait(); };
    task.finished = [&](TestJob&) {
      if (++finished == kThreads + kQueue) pool.stop();
    };
  }
  std::size_t next = 0;
  std::function<void()> submit_next = [&] {
    if (next == tasks.size()) {
      EXPECT_EQ(pool.running(), kThreads);
      EXPECT_EQ(pool.waiting(), kQueue);
      EXPECT_TRUE(pool.saturated());
      gate.open();
      return;
    }
    TestJob& task = tasks[next++];
    asio::post(io, submit_next);  // first: the handler may take this thread away
    if (submit(pool, task) == HandlerPool::Accepted::refused) ++refused;
  };
  run(pool, submit_next);
  EXPECT_EQ(finished, kThreads + kQueue);
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(pool.running(), 0);
}

TEST_F(HandlerPoolTest, AWaitingJobCanBeWithdrawnARunningOneCannot) {
  HandlerPool pool(io, 1, 4, {});
  Gate gate;
  TestJob running, waiting;
  running.body = [&] { gate.wait(); };
  running.finished = [&](TestJob&) { pool.stop(); };
  waiting.body = [] { ADD_FAILURE() << "withdrawn, but run"; };
  run(pool, [&] {
    asio::post(io, [&] {
      EXPECT_EQ(submit(pool, waiting), HandlerPool::Accepted::pending);
      EXPECT_TRUE(pool.withdraw(waiting));
      EXPECT_FALSE(pool.withdraw(waiting));
      EXPECT_FALSE(pool.withdraw(running));
      gate.open();
    });
    submit(pool, running);
  });
}

TEST_F(HandlerPoolTest, HandlersThatKeepBlockingGoToThePoolAndNeverMoreThanTheThreadsRunAtATime) {
  constexpr int kThreads = 4, kJobs = 60;
  HandlerPool pool(io, kThreads, kJobs, {});
  std::vector<TestJob> tasks(kJobs);
  std::atomic<int> inside{0}, most{0};
  int finished = 0, pooled = 0;
  for (TestJob& task : tasks) {
    task.body = [&] {
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(5ms);
      --inside;
    };
    task.finished = [&](TestJob& done) {
      if (done.waited) ++pooled;
      if (++finished == kJobs) pool.stop();
    };
  }
  std::size_t next = 0;
  std::function<void()> submit_next = [&] {
    if (next == tasks.size()) return;
    TestJob& task = tasks[next++];
    asio::post(io, submit_next);
    submit(pool, task);
  };
  run(pool, submit_next);
  EXPECT_EQ(finished, kJobs);
  EXPECT_LE(most, kThreads);
  EXPECT_GT(most, 1);
  EXPECT_GT(pooled, kJobs / 2);
}

TEST_F(HandlerPoolTest, HandlersThatSleepBrieflyGoToThePoolTooAndRunBesideEachOther) {
  HandlerPool pool(io, 4, 1000, {});
  std::deque<TestJob> tasks;
  std::atomic<int> inside{0};
  std::atomic<bool> together{false};
  std::function<void()> submit_next =
      [&] {  // until two have been seen at a time, each of them too quick to be taken for one that overstays
        TestJob& task = tasks.emplace_back();
        task.body = [&] {
          if (++inside > 1) together = true;
          std::this_thread::sleep_for(200us);
          --inside;
        };
        if (together) {
          task.body = [] {};
          task.finished = [&](TestJob&) { pool.stop(); };
        } else {
          asio::post(io, submit_next);
        }
        submit(pool, task);
      };
  run(pool, submit_next);
  EXPECT_TRUE(together);
}

TEST_F(HandlerPoolTest, AnIdleCrewWakesUpAgain) {
  HandlerPool pool(io, 2, 4, {});
  asio::steady_timer pause(io);
  TestJob first, second;
  Gate gate;
  second.body = [&] { gate.wait(); };
  second.finished = [&](TestJob&) { pool.stop(); };
  run(pool, [&] {
    submit(pool, first);
    pause.expires_after(50ms);  // longer than the watch stays up without work
    pause.async_wait([&](const boost::system::error_code&) {
      asio::post(io, [&] { gate.open(); });
      submit(pool, second);
    });
  });
  EXPECT_EQ(pool.running(), 0);
}

/// Room for some threads only: none is left behind, and the error says why.
TEST_F(HandlerPoolTest, threads_that_cannot_be_made_are_an_error) {
  const pid_t child = ::fork();  // what is taken from a process cannot be given back
  if (child == 0) {
    std::atomic<int> begun = 0;
    HandlerPool pool(io, 200, 1, {.thread_starts = [&begun] { ++begun; }});
    rlimit memory{};
    ::getrlimit(RLIMIT_AS, &memory);
    memory.rlim_cur = memory_now() + (std::size_t{100} << 20);  // each thread takes a stack of some MiB
    ::setrlimit(RLIMIT_AS, &memory);
    const auto started = pool.start();
    const bool refused = !started && started.error().starts_with("cannot start thread ") &&
                         started.error().find(" of 200: ") != std::string::npos;
    ::_exit(refused && begun < 200 ? 0 : 1);  // had it left a thread behind, the pool's end would abort
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace serval::worker
