#include "worker/threads/loop_load.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kBegin = TimePoint{} + 100s;

TEST(LoopLoad, IsJudgedOverSomeTime) {
  const LoopLoad load({.at = kBegin});
  EXPECT_FALSE(load.due(kBegin + 5ms));
  EXPECT_TRUE(load.due(kBegin + 50ms));
}

TEST(LoopLoad, TableOfLoops) {
  struct Row {
    const char* what;
    Clock::duration cpu;  // of 20 ms
    std::uint64_t requests;
    bool overloaded;
  };
  const Row rows[] = {
      {"nothing to do", 0ms, 0, false},
      {"a whole CPU", 20ms, 2000, true},
      {"more than that, by the clocks' inaccuracy", 20100us, 2000, true},
      {"quick requests, most of a CPU", 19ms, 2000, false},
      {"quick requests, nearly all of a CPU", 19800us, 2000, true},
      {"half a millisecond each, half of a CPU", 10ms, 20, true},
      {"half a millisecond each, a quarter of a CPU", 5ms, 10, false},
      {"one request", 400us, 1, false},
  };
  for (const Row& row : rows) {
    LoopLoad load({.at = kBegin, .cpu = 1s, .requests = 7});
    EXPECT_EQ(load.overloaded({.at = kBegin + 20ms, .cpu = 1s + row.cpu, .requests = 7 + row.requests}), row.overloaded)
        << row.what;
  }
}

TEST(LoopLoad, EachJudgementIsOfTheTimeSinceTheLast) {
  LoopLoad load({.at = kBegin});
  EXPECT_TRUE(load.overloaded({.at = kBegin + 20ms, .cpu = 20ms, .requests = 100}));
  EXPECT_FALSE(load.due(kBegin + 21ms));
  EXPECT_FALSE(load.overloaded({.at = kBegin + 40ms, .cpu = 21ms, .requests = 105}));
}

}  // namespace
}  // namespace serval::worker
