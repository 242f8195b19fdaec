#include "worker/duty.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <string>

#include "scoreboard/writer.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 2;

/// Four workers that serve, of two threads each, on two CPUs.
struct DutyTest : testing::Test {
  static constexpr TimePoint kNow = TimePoint{} + 1h;
  scoreboard::Memory memory = std::move(*scoreboard::Memory::create({.slots = 6, .rows = kThreads + 1}));
  std::deque<scoreboard::WorkerBoard> boards;

  DutyTest() {
    for (int slot = 0; slot < 4; ++slot) {
      boards.emplace_back(memory, slot).begin(1, 100 + slot, TimePoint{});
      boards.back().set_phase(scoreboard::Phase::serving);
    }
  }

  Duty duty(int slot) { return {memory, slot, kThreads, 2}; }

  std::string on_duty() {
    std::string slots;
    for (int slot = 0; slot < 4; ++slot) {
      if (duty(slot).on(kNow)) slots += std::to_string(slot);
    }
    return slots;
  }
};

TEST_F(DutyTest, IsTheFirstOnesWhileThatOneIsAtEase) { EXPECT_EQ(on_duty(), "0"); }

TEST_F(DutyTest, TheNextOneComesInFor) {
  boards[0].set_phase(scoreboard::Phase::draining);
  EXPECT_EQ(on_duty(), "01") << "one that drains; that one is not asked any more";
  boards[0].set_phase(scoreboard::Phase::serving);
  EXPECT_EQ(on_duty(), "0");
  boards[0].set_waiting(1);
  EXPECT_EQ(on_duty(), "01") << "one where requests wait";
  boards[0].set_waiting(0);
  boards[0].row(0).begin({.method = "GET"}, kNow, TimePoint::max());
  EXPECT_EQ(on_duty(), "01") << "one whose threads are busy";
  boards[0].row(0).end();
  boards[0].set_strained(true);
  EXPECT_EQ(on_duty(), "01") << "one that hardly keeps up";
}

TEST_F(DutyTest, TheNextOneComesInForOneWhoseLoopIsHeldUpByAHandler) {
  scoreboard::Memory wide = std::move(*scoreboard::Memory::create({.slots = 2, .rows = 5}));
  scoreboard::WorkerBoard first(wide, 0);
  first.begin(1, 100, TimePoint{});
  first.set_phase(scoreboard::Phase::serving);
  first.beat(kNow, ::gettid());
  Duty second(wide, 1, 4, 2);
  first.row(0).begin({.method = "GET"}, kNow, TimePoint::max());  // by this thread
  EXPECT_FALSE(second.on(kNow + 100us)) << "nearly all handlers run for a moment only";
  EXPECT_TRUE(second.on(kNow + 10ms));
  first.beat(kNow, ::gettid() + 1);
  EXPECT_FALSE(second.on(kNow + 20ms)) << "it runs beside the loop now";
}

TEST_F(DutyTest, NoMoreLoopsThanCpusComeInForStrainedOnes) {
  boards[0].set_strained(true);
  boards[1].set_strained(true);
  EXPECT_EQ(on_duty(), "01");
}

TEST_F(DutyTest, AStrainedLoopSharesIfThereIsACpuAndSomebodyAtEase) {
  boards[0].set_strained(true);
  EXPECT_TRUE(duty(0).can_share(kNow));
  boards[3].set_strained(true);
  EXPECT_FALSE(duty(0).can_share(kNow)) << "both CPUs are busy";
  boards[3].set_strained(false);
  for (int other : {1, 2, 3}) boards[static_cast<std::size_t>(other)].set_waiting(1);
  EXPECT_FALSE(duty(0).can_share(kNow)) << "nobody is at ease";
}

TEST_F(DutyTest, WhatTheOneWhoHasItHasDoneIsSeen) {
  Duty last = duty(3);
  EXPECT_FALSE(last.on(kNow));
  EXPECT_EQ(last.done_by_sibling(), 0u);
  boards[0].count_connection();
  EXPECT_EQ(last.done_by_sibling(), 1u);
}

TEST_F(DutyTest, IsFarFromThoseWhomMoreSiblingsThanCpusPrecede) {
  std::string far;
  for (int slot = 0; slot < 4; ++slot) {
    Duty it = duty(slot);
    it.on(kNow);
    if (it.is_far()) far += std::to_string(slot);
  }
  EXPECT_EQ(far, "3");
}

TEST_F(DutyTest, IsLookedUpOnceAMillisecond) {
  Duty second = duty(1);
  EXPECT_FALSE(second.on(kNow));
  boards[0].set_phase(scoreboard::Phase::draining);
  EXPECT_FALSE(second.on(kNow + 500us));
  EXPECT_TRUE(second.on(kNow + 1ms));
}

}  // namespace
}  // namespace serval::worker
