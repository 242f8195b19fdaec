#include "supervisor/watch.hpp"

#include <gmock/gmock.h>

#include "stage.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uint64_t kSoft = 100, kHard = 200;

class WatchTest : public ::testing::Test {
 protected:
  WatchTest() {
    stage.world.settings.memory.soft = kSoft;
    stage.world.settings.memory.hard = kHard;
    stage.world.settings.memory.samples = 2;
    stage.all_serve();
  }
  std::vector<std::string> settle(Clock::duration time) {
    return stage.at(time, [this](const Turn& turn) { watch.settle(turn); });
  }
  std::vector<std::string> finds(Clock::duration time, std::uint64_t bytes, pid_t pid = pid_of(0)) {
    return stage.at(time, [&](const Turn& turn) {
      watch.on(LookedAtWorkers{{{.slot = 0, .pid = pid, .pulse = {}, .memory = bytes}}}, turn);
    });
  }
  Slot& slot() { return stage.world.slots[0]; }

  Stage stage{settings(1)};
  Watch watch;
};

TEST_F(WatchTest, LooksOnceAnInterval) {
  EXPECT_THAT(settle(0s), ElementsAre(StartsWith("look")));
  EXPECT_TRUE(watch.looking());
  EXPECT_THAT(settle(9s), ElementsAre()) << "the answer is awaited";
  finds(9s, 0);
  EXPECT_FALSE(watch.looking());
  EXPECT_EQ(watch.next(stage.world.settings, stage.world.slots), TimePoint{} + 10s);
}

TEST_F(WatchTest, ASpikeAboveSoftIsForgiven) {
  finds(0s, kSoft + 1);
  finds(1s, kSoft);
  finds(2s, kSoft + 1);
  EXPECT_FALSE(slot().due());
  EXPECT_THAT(finds(3s, kSoft + 1), ElementsAre(HasSubstr("above the soft memory ceiling")));
  EXPECT_EQ(slot().cause(), Cause::memory_soft);
}

TEST_F(WatchTest, AboveHardIsConfirmedByAnEarlierLookThenKilled) {
  EXPECT_THAT(finds(0s, kHard + 1), ElementsAre());
  EXPECT_EQ(watch.next(stage.world.settings, stage.world.slots), TimePoint{} + 500ms);
  EXPECT_THAT(finds(1s, kHard + 1), ElementsAre(HasSubstr("above the hard memory ceiling"), "kill 100 by 9"));
  EXPECT_EQ(slot().cause(), Cause::memory_hard);
}

TEST_F(WatchTest, WhatWasSeenOfAnEarlierWorkerIsNoMatter) {
  finds(0s, kHard + 1, 4711);
  EXPECT_THAT(finds(1s, kHard + 1, 4711), ElementsAre());
  EXPECT_TRUE(slot().serving());
}

}  // namespace
}  // namespace serval::supervisor
