#include "worker/duty.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "scoreboard/writer.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 2;

/// Four workers that serve, of two threads each, on two CPUs.
struct DutyTest : testing::Test {
  scoreboard::Memory memory = std::move(*scoreboard::Memory::create({.slots = 6, .rows = kThreads + 1}));
  std::deque<scoreboard::WorkerBoard> boards;

  DutyTest() {
    for (int slot = 0; slot < 4; ++slot) {
      boards.emplace_back(memory, slot).begin(1, 100 + slot, TimePoint{});
      boards.back().set_phase(scoreboard::Phase::serving);
    }
  }

  std::string on_duty() {
    std::string slots;
    for (int slot = 0; slot < 4; ++slot) {
      if (Duty(memory, slot, kThreads, 2).on(TimePoint{} + 1h)) slots += std::to_string(slot);
    }
    return slots;
  }
};

TEST_F(DutyTest, AsManyAsThereAreCpus) { EXPECT_EQ(on_duty(), "01"); }

TEST_F(DutyTest, TheNextOneStepsInForOneThatDrains) {
  boards[0].set_phase(scoreboard::Phase::draining);
  EXPECT_EQ(on_duty(), "012");  // the first is not asked any more
}

TEST_F(DutyTest, TheNextOneStepsInForOneWhoseThreadsAreBusy) {
  boards[1].row(0).begin({.method = "GET"}, TimePoint{} + 1s, TimePoint::max());
  EXPECT_EQ(on_duty(), "012");
  boards[1].row(0).end();
  EXPECT_EQ(on_duty(), "01");
}

TEST_F(DutyTest, TheNextOneStepsInForOneWhereRequestsWait) {
  boards[0].set_waiting(1);
  EXPECT_EQ(on_duty(), "012");
}

TEST_F(DutyTest, IsLookedUpOnceAMillisecond) {
  Duty duty(memory, 2, kThreads, 2);
  const TimePoint begin = TimePoint{} + 1h;
  EXPECT_FALSE(duty.on(begin));
  boards[0].set_phase(scoreboard::Phase::draining);
  EXPECT_FALSE(duty.on(begin + 500us));
  EXPECT_TRUE(duty.on(begin + 1ms));
}

}  // namespace
}  // namespace serval::worker
