#include "os/thread_stat.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>

#include "os/threads.hpp"

namespace serval::os {
namespace {

using namespace std::chrono_literals;

struct Line {
  const char* text;
  std::optional<ThreadStat> stat;
};

TEST(ThreadStat, lines) {
  for (const auto& [text, stat] : {
           Line{"12 (worker) S 1 2 3 0 -1 4194368 100 0 0 0 250 50 7 7 20 0 6 0 99\n", ThreadStat{'S', 3s}},
           Line{"12 (a b) R 1 2 3 0 -1 4194368 100 0 0 0 1 0 0 0 20\n", ThreadStat{'R', 10ms}},
           Line{"12 () R 9 (x) D 1 2 3 0 -1 4194368 100 0 0 0 0 0 0 0 20\n", ThreadStat{'D', 0s}},
           Line{"12 (((() t 1 2 3 0 -1 4194368 100 0 0 0 0 7 0 0 20", ThreadStat{'t', 70ms}},
           Line{"12 (long) R 1 2 3 0 -1 4194368 100 0 0 0 31536000000 1 0 0 20\n",
                ThreadStat{'R', 315'360'000s + 10ms}},
           Line{"12 (cut) S 1 2 3 0 -1 4194368 100 0 0 0 250", std::nullopt},
           Line{"12 (odd) S 1 2 3 0 -1 4194368 100 0 0 0 x y 0 0", std::nullopt},
           Line{"12 nothing", std::nullopt},
           Line{"12 (only)", std::nullopt},
           Line{"", std::nullopt},
       }) {
    const auto parsed = parse_thread_stat(text, 100);
    ASSERT_EQ(parsed.has_value(), stat.has_value()) << text;
    if (!stat) continue;
    EXPECT_EQ(parsed->state, stat->state) << text;
    EXPECT_EQ(parsed->cpu, stat->cpu) << text;
    EXPECT_EQ(parsed->parent, 1) << text;
    EXPECT_EQ(parsed->session, 3) << text;
  }
}

TEST(ThreadStat, ticks_need_not_be_hundredths) {
  const auto stat = parse_thread_stat("1 (x) S 1 2 3 0 -1 4194368 100 0 0 0 1024 512 0 0 20\n", 1024);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu, 1500ms);
}

TEST(ThreadStat, a_thread_that_works_gathers_time_and_one_that_waits_sleeps) {
  std::promise<pid_t> told;
  std::promise<void> leave;
  std::thread waiting([&] {
    name_thread("odd (name) R");
    told.set_value(::gettid());
    leave.get_future().wait();
  });
  const pid_t other = told.get_future().get();
  const auto before = thread_stat(::getpid(), ::gettid());
  ASSERT_TRUE(before);
  EXPECT_EQ(before->state, 'R');
  const TimePoint until = Clock::now() + 20s;
  std::optional<ThreadStat> after = before;
  while (after && after->cpu < before->cpu + 30ms && Clock::now() < until) after = thread_stat(::getpid(), ::gettid());
  ASSERT_TRUE(after);
  EXPECT_GE(after->cpu, before->cpu + 30ms);

  const auto idle = thread_stat(::getpid(), other);
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->state, 'S');
  EXPECT_LT(idle->cpu, 30ms);
  leave.set_value();
  waiting.join();
  EXPECT_FALSE(thread_stat(::getpid(), other));
  EXPECT_FALSE(thread_stat(::getpid(), 0));
}

}  // namespace
}  // namespace serval::os
