#include "admin/utilization.hpp"

#include <gtest/gtest.h>

namespace serval::admin {
namespace {

using namespace std::chrono_literals;

constexpr auto& k15s = Utilization::kWindows[0];
constexpr auto& k1m = Utilization::kWindows[1];
constexpr auto& k5m = Utilization::kWindows[2];

TEST(Utilization, IsNothingBeforeTheFirstLook) { EXPECT_EQ(Utilization().average(k1m, TimePoint{1s}), 0); }

TEST(Utilization, EachWindowHasItsOwnAverage) {
  Utilization use;
  for (int i = 0; i < 45; ++i) use.add(TimePoint{} + 1s * i, 0, 10);
  for (int i = 45; i < 60; ++i) use.add(TimePoint{} + 1s * i, 10, 10);
  const TimePoint now = TimePoint{} + 59s;
  EXPECT_NEAR(use.average(k15s, now), 15.0 / 16, 1e-9);
  EXPECT_NEAR(use.average(k1m, now), 0.25, 1e-9);
  EXPECT_NEAR(use.average(k5m, now), 0.25, 1e-9);
}

TEST(Utilization, ForgetsWhatIsOlderThanItsLongestWindow) {
  Utilization use;
  use.add(TimePoint{}, 10, 10);
  use.add(TimePoint{} + 10min, 0, 10);
  EXPECT_EQ(use.average(k5m, TimePoint{} + 10min), 0);
}

TEST(Utilization, NeverExceedsOne) {
  Utilization use;
  use.add(TimePoint{}, 12, 10);  // what a worker has written over the scoreboard
  EXPECT_EQ(use.average(k15s, TimePoint{}), 1);
}

}  // namespace
}  // namespace serval::admin
