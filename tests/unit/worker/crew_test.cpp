#include "worker/crew.hpp"

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
struct TestJob final : Job {
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

/// A crew on a loop of its own; the test's script is posted to the loop and ends it with stop().
struct CrewTest : testing::Test {
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};

  /// As a connection does it: `finished` is called for jobs that ran at once, too.
  static Crew::Accepted submit(Crew& crew, TestJob& job) {
    const Crew::Accepted accepted = crew.submit(job);
    if (accepted == Crew::Accepted::ran) job.finished(job);
    return accepted;
  }

  void run(Crew& crew, std::function<void()> script) {
    asio::post(io, std::move(script));
    ASSERT_TRUE(crew.start());
    crew.run();
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

TEST_F(CrewTest, QuickHandlersRunAtOnceInsteadOfWaiting) {
  Crew crew(io, 3, 10, {});
  std::vector<TestJob> jobs(1000);
  int finished = 0, waited = 0;
  for (TestJob& job : jobs) {
    job.finished = [&](TestJob& done) {
      if (done.waited) ++waited;
      if (++finished == 1000) crew.stop();
    };
  }
  std::size_t next = 0;
  std::function<void()> submit_next = [&] {
    if (next == jobs.size()) return;
    TestJob& job = jobs[next++];
    asio::post(io, submit_next);
    submit(crew, job);
  };
  run(crew, submit_next);
  EXPECT_EQ(finished, 1000);
  EXPECT_LT(waited, 500);  // a busy machine may preempt a handler for two ticks, and then some wait; most never do
  EXPECT_EQ(crew.running(), 0);
}

TEST_F(CrewTest, TheLoopGoesOnWhileAHandlerBlocks) {
  Crew crew(io, 2, 10, {});
  Gate gate;
  TestJob blocked;
  bool answered = false;
  std::thread::id loop_before, loop_after;
  blocked.body = [&] { gate.wait(); };
  blocked.finished = [&](TestJob&) {
    answered = true;
    crew.stop();
  };
  run(crew, [&] {
    loop_before = std::this_thread::get_id();
    // Runs only once somebody else has taken the loop over, and only then lets the handler go on.
    asio::post(io, [&] {
      loop_after = std::this_thread::get_id();
      EXPECT_EQ(crew.running(), 1);
      gate.open();
    });
    submit(crew, blocked);
    ADD_FAILURE() << "the thread that lost the loop came back";
  });
  EXPECT_TRUE(answered);
  EXPECT_EQ(blocked.ran_on, loop_before);
  EXPECT_NE(loop_after, loop_before);
}

TEST_F(CrewTest, WithAllThreadsBlockedRequestsQueueUpToTheLimitAndTheLoopStillRuns) {
  constexpr int kThreads = 3, kQueue = 4;
  Crew crew(io, kThreads, kQueue, {});
  Gate gate;
  std::vector<TestJob> jobs(kThreads + kQueue + 2);
  int finished = 0, refused = 0;
  for (TestJob& job : jobs) {
    job.body = [&] { gate.wait(); };
    job.finished = [&](TestJob&) {
      if (++finished == kThreads + kQueue) crew.stop();
    };
  }
  std::size_t next = 0;
  std::function<void()> submit_next = [&] {
    if (next == jobs.size()) {
      EXPECT_EQ(crew.running(), kThreads);
      EXPECT_EQ(crew.waiting(), kQueue);
      EXPECT_TRUE(crew.saturated());
      gate.open();
      return;
    }
    TestJob& job = jobs[next++];
    asio::post(io, submit_next);  // first: the handler may take this thread away
    if (submit(crew, job) == Crew::Accepted::refused) ++refused;
  };
  run(crew, submit_next);
  EXPECT_EQ(finished, kThreads + kQueue);
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(crew.running(), 0);
}

TEST_F(CrewTest, AWaitingJobCanBeWithdrawnARunningOneCannot) {
  Crew crew(io, 1, 4, {});
  Gate gate;
  TestJob running, waiting;
  running.body = [&] { gate.wait(); };
  running.finished = [&](TestJob&) { crew.stop(); };
  waiting.body = [] { ADD_FAILURE() << "withdrawn, but run"; };
  run(crew, [&] {
    asio::post(io, [&] {
      EXPECT_EQ(submit(crew, waiting), Crew::Accepted::pending);
      EXPECT_TRUE(crew.withdraw(waiting));
      EXPECT_FALSE(crew.withdraw(waiting));
      EXPECT_FALSE(crew.withdraw(running));
      gate.open();
    });
    submit(crew, running);
  });
}

TEST_F(CrewTest, HandlersThatKeepBlockingGoToThePoolAndNeverMoreThanTheThreadsRunAtATime) {
  constexpr int kThreads = 4, kJobs = 60;
  Crew crew(io, kThreads, kJobs, {});
  std::vector<TestJob> jobs(kJobs);
  std::atomic<int> inside{0}, most{0};
  int finished = 0, pooled = 0;
  for (TestJob& job : jobs) {
    job.body = [&] {
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(5ms);
      --inside;
    };
    job.finished = [&](TestJob& done) {
      if (done.waited) ++pooled;
      if (++finished == kJobs) crew.stop();
    };
  }
  std::size_t next = 0;
  std::function<void()> submit_next = [&] {
    if (next == jobs.size()) return;
    TestJob& job = jobs[next++];
    asio::post(io, submit_next);
    submit(crew, job);
  };
  run(crew, submit_next);
  EXPECT_EQ(finished, kJobs);
  EXPECT_LE(most, kThreads);
  EXPECT_GT(most, 1);
  EXPECT_GT(pooled, kJobs / 2);
}

TEST_F(CrewTest, HandlersThatSleepBrieflyGoToThePoolTooAndRunBesideEachOther) {
  Crew crew(io, 4, 1000, {});
  std::deque<TestJob> jobs;
  std::atomic<int> inside{0};
  std::atomic<bool> together{false};
  std::function<void()> submit_next = [&] {  // until two have been seen at a time, each of them too quick to be taken for one that overstays
    TestJob& job = jobs.emplace_back();
    job.body = [&] {
      if (++inside > 1) together = true;
      std::this_thread::sleep_for(200us);
      --inside;
    };
    if (together) {
      job.body = [] {};
      job.finished = [&](TestJob&) { crew.stop(); };
    } else {
      asio::post(io, submit_next);
    }
    submit(crew, job);
  };
  run(crew, submit_next);
  EXPECT_TRUE(together);
}

TEST_F(CrewTest, AnIdleCrewWakesUpAgain) {
  Crew crew(io, 2, 4, {});
  asio::steady_timer pause(io);
  TestJob first, second;
  Gate gate;
  second.body = [&] { gate.wait(); };
  second.finished = [&](TestJob&) { crew.stop(); };
  run(crew, [&] {
    submit(crew, first);
    pause.expires_after(50ms);  // longer than the watch stays up without work
    pause.async_wait([&](const boost::system::error_code&) {
      asio::post(io, [&] { gate.open(); });
      submit(crew, second);
    });
  });
  EXPECT_EQ(crew.running(), 0);
}

/// Room for some threads only: none is left behind, and the error says why.
TEST_F(CrewTest, threads_that_cannot_be_made_are_an_error) {
  const pid_t child = ::fork();  // what is taken from a process cannot be given back
  if (child == 0) {
    std::atomic<int> begun = 0;
    Crew crew(io, 200, 1, {.thread_starts = [&begun] { ++begun; }});
    rlimit memory{};
    ::getrlimit(RLIMIT_AS, &memory);
    memory.rlim_cur = memory_now() + (std::size_t{100} << 20);  // each thread takes a stack of some MiB
    ::setrlimit(RLIMIT_AS, &memory);
    const auto started = crew.start();
    const bool refused = !started && started.error().starts_with("cannot start thread ") && started.error().find(" of 200: ") != std::string::npos;
    ::_exit(refused && begun < 200 ? 0 : 1);  // had it left a thread behind, the crew's end would abort
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace serval::worker
