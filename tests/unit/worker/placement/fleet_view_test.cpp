#include "worker/placement/fleet_view.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <string>

#include "scoreboard/writer.hpp"
#include "worker/placement/policy.hpp"

namespace serval::worker::placement {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 2;

/// Four workers that serve, of two threads each, on two CPUs.
struct FleetViewTest : testing::Test {
  static constexpr TimePoint kNow = TimePoint{} + 1h;
  scoreboard::Memory memory = std::move(*scoreboard::Memory::create({.slots = 6, .rows = kThreads + 1}));
  std::deque<scoreboard::WorkerBoard> boards;

  FleetViewTest() {
    for (int slot = 0; slot < 4; ++slot) {
      boards.emplace_back(memory, slot).begin(1, 100 + slot, TimePoint{});
      boards.back().set_phase(scoreboard::WorkerPhase::serving);
    }
  }

  static constexpr int kCpus = 2;
  FleetView view(int slot) { return {memory, slot, kThreads, kCpus}; }
  static Accept decide(FleetView& view, TimePoint now) { return accept(view.before(now), false, kCpus); }
  static bool accepts(FleetView& view, TimePoint now) { return decide(view, now) == Accept::now; }
  bool can_share(int slot) { return connections_to_give(16, view(slot).others(kNow), kCpus) > 0; }

  std::string accepting() {
    std::string slots;
    for (int slot = 0; slot < 4; ++slot) {
      FleetView it = view(slot);
      if (accepts(it, kNow)) slots += std::to_string(slot);
    }
    return slots;
  }
};

TEST_F(FleetViewTest, IsTheFirstOnesWhileThatOneIsAtEase) { EXPECT_EQ(accepting(), "0"); }

TEST_F(FleetViewTest, TheNextOneComesInFor) {
  boards[0].set_phase(scoreboard::WorkerPhase::draining);
  EXPECT_EQ(accepting(), "01") << "one that drains; that one is not asked any more";
  boards[0].set_phase(scoreboard::WorkerPhase::serving);
  EXPECT_EQ(accepting(), "0");
  boards[0].set_waiting(1);
  EXPECT_EQ(accepting(), "01") << "one where requests wait";
  boards[0].set_waiting(0);
  boards[0].row(0).begin({.method = "GET"}, kNow, TimePoint::max());
  EXPECT_EQ(accepting(), "01") << "one whose threads are busy";
  boards[0].row(0).end();
  boards[0].set_strained(true);
  EXPECT_EQ(accepting(), "01") << "one that hardly keeps up";
}

TEST_F(FleetViewTest, TheNextOneComesInForOneWhoseLoopIsHeldUpByAHandler) {
  scoreboard::Memory wide = std::move(*scoreboard::Memory::create({.slots = 2, .rows = 5}));
  scoreboard::WorkerBoard first(wide, 0);
  first.begin(1, 100, TimePoint{});
  first.set_phase(scoreboard::WorkerPhase::serving);
  first.beat(kNow, ::gettid());
  FleetView second(wide, 1, 4, kCpus);
  first.row(0).begin({.method = "GET"}, kNow, TimePoint::max());  // by this thread
  EXPECT_FALSE(accepts(second, kNow + 100us)) << "nearly all handlers run for a moment only";
  EXPECT_TRUE(accepts(second, kNow + 10ms));
  first.beat(kNow, ::gettid() + 1);
  EXPECT_FALSE(accepts(second, kNow + 20ms)) << "it runs beside the loop now";
}

TEST_F(FleetViewTest, NoMoreLoopsThanCpusComeInForStrainedOnes) {
  boards[0].set_strained(true);
  boards[1].set_strained(true);
  EXPECT_EQ(accepting(), "01");
}

TEST_F(FleetViewTest, AStrainedLoopSharesIfThereIsACpuAndSomebodyAtEase) {
  boards[0].set_strained(true);
  EXPECT_TRUE(can_share(0));
  boards[3].set_strained(true);
  EXPECT_FALSE(can_share(0)) << "both CPUs are busy";
  boards[3].set_strained(false);
  for (int other : {1, 2, 3}) boards[static_cast<std::size_t>(other)].set_waiting(1);
  EXPECT_FALSE(can_share(0)) << "nobody is at ease";
}

TEST_F(FleetViewTest, WhatTheOneWhoHasItHasDoneIsSeen) {
  FleetView last = view(3);
  EXPECT_FALSE(accepts(last, kNow));
  EXPECT_EQ(last.taken_by_first(), 0u);
  boards[0].count_connection();
  EXPECT_EQ(last.taken_by_first(), 1u);
}

TEST_F(FleetViewTest, IsFarFromThoseWhomMoreSiblingsThanCpusPrecede) {
  std::string far;
  for (int slot = 0; slot < 4; ++slot) {
    FleetView it = view(slot);
    if (decide(it, kNow) == Accept::much_later) far += std::to_string(slot);
  }
  EXPECT_EQ(far, "3");
}

TEST_F(FleetViewTest, IsLookedUpOnceAMillisecond) {
  FleetView second = view(1);
  EXPECT_FALSE(accepts(second, kNow));
  boards[0].set_phase(scoreboard::WorkerPhase::draining);
  EXPECT_FALSE(accepts(second, kNow + 500us));
  EXPECT_TRUE(accepts(second, kNow + 1ms));
}

}  // namespace
}  // namespace serval::worker::placement
