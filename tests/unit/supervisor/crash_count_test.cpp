#include "supervisor/crash_count.hpp"

#include <gtest/gtest.h>

#include "stage.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

class CrashCountTest : public ::testing::Test {
 protected:
  CrashCountTest() { stage.world.settings.restart.give_up_after = 2; }
  bool add(Clock::duration healthy_for) {
    bool too_many = false;
    stage.at(0s, [&](const Turn& turn) { too_many = crashes.add(healthy_for, turn); });
    return too_many;
  }

  Stage stage{settings(2)};
  CrashCount crashes;
};

TEST_F(CrashCountTest, OneTooManyInARow) {
  EXPECT_FALSE(add(0s));
  EXPECT_EQ(crashes.in_a_row(), 1);
  EXPECT_TRUE(add(0s));
}

TEST_F(CrashCountTest, HealthForgives) {
  add(0s);
  EXPECT_FALSE(add(stage.world.settings.restart.backoff_reset));
  EXPECT_EQ(crashes.in_a_row(), 0);
}

TEST_F(CrashCountTest, AServerThatServesDoesNotGiveUp) {
  add(0s);
  stage.serves(1);
  EXPECT_FALSE(add(0s));
  EXPECT_EQ(crashes.in_a_row(), 0);
}

TEST_F(CrashCountTest, WithoutALimitItNeverDoes) {
  stage.world.settings.restart.give_up_after = 0;
  for (int crash = 0; crash < 100; ++crash) EXPECT_FALSE(add(0s));
}

TEST_F(CrashCountTest, GoesOnAfterAnUpgrade) {
  crashes = CrashCount(1);
  EXPECT_TRUE(add(0s));
}

}  // namespace
}  // namespace serval::supervisor
