#include "supervisor/slot.hpp"

#include <gtest/gtest.h>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

TEST(Slot, LivesThroughItsStates) {
  Slot slot(3);
  EXPECT_EQ(slot.index(), 3);
  EXPECT_FALSE(slot.occupied());
  slot.start(2, 0, TimePoint(1s), TimePoint(61s));
  EXPECT_TRUE(slot.forking());
  EXPECT_EQ(slot.deadline(), TimePoint(61s));
  slot.forked(77);
  EXPECT_FALSE(slot.forking());
  slot.ready(TimePoint(3s));
  EXPECT_EQ(slot.deadline(), TimePoint::max());
  EXPECT_EQ(slot.healthy_for(TimePoint(10s)), 7s);
  slot.retire(Cause::manual, TimePoint(10s), TimePoint(40s));
  EXPECT_FALSE(slot.active());
  EXPECT_TRUE(slot.at_door());
  EXPECT_GT(slot.door_deadline(), TimePoint(10s));
  slot.leave();
  EXPECT_FALSE(slot.at_door());
  EXPECT_EQ(slot.first_cause(), Cause::none);
  slot.kill(Cause::stop);
  EXPECT_EQ(slot.cause(), Cause::stop) << "what ends it";
  EXPECT_EQ(slot.first_cause(), Cause::manual);
  slot.kill(Cause::stop);
  EXPECT_EQ(slot.first_cause(), Cause::manual);
  slot.clear();
  EXPECT_EQ(slot.state(), SlotState::empty);
  EXPECT_EQ(slot.pid(), 0);
  EXPECT_EQ(slot.cause(), Cause::none);
}

TEST(Slot, KeepsItsDeadlineUntilItIsReadyAndItsPidIsKnown) {
  Slot slot(0);
  slot.start(1, 0, TimePoint(0s), TimePoint(60s));
  slot.ready(TimePoint(1s));
  EXPECT_EQ(slot.deadline(), TimePoint(60s));
  slot.forked(77);
  EXPECT_EQ(slot.deadline(), TimePoint::max());
}

TEST(Slot, WasNotHealthyBeforeItWasReady) {
  Slot slot(0);
  slot.start(1, 0, TimePoint(0s), TimePoint::max());
  EXPECT_EQ(slot.healthy_for(TimePoint(100s)), 0s);
  slot.ready(TimePoint(100s));
  EXPECT_GT(slot.healthy_for(TimePoint(100s)), Clock::duration::zero());
}

TEST(SlotDeath, IsNotStartedTwice) {
  Slot slot(0);
  slot.start(1, 0, TimePoint(0s), TimePoint::max());
  EXPECT_DEATH(slot.start(1, 0, TimePoint(0s), TimePoint::max()), "bug");
}

}  // namespace
}  // namespace serval::supervisor
