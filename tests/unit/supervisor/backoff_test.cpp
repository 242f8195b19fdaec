#include "supervisor/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

struct BackoffTest : testing::Test {
  /// The longest of many draws of the n-th delay of something that never got healthy.
  Duration longest(int crash) {
    Duration result = 0ms;
    for (int draw = 0; draw < 300; ++draw) {
      Backoff backoff;
      for (int i = 1; i < crash; ++i) backoff.crashed(policy, 0ms, random);
      result = std::max(result, backoff.crashed(policy, 0ms, random));
    }
    return result;
  }

  config::Restart policy;
  std::mt19937_64 random{7};
};

TEST_F(BackoffTest, DoublesUpToTheMaximumWithFullJitter) {
  Duration window = policy.backoff_first;
  for (int crash = 1; crash <= 12; ++crash) {
    const Duration seen = longest(crash);
    EXPECT_LE(seen, window) << crash;
    EXPECT_GT(seen, window * 9 / 10) << crash;
    window = std::min(window * 2, policy.backoff_max);
  }
}

TEST_F(BackoffTest, TheFirstCrashOfWhatWasHealthyCostsNothing) {
  Backoff backoff;
  EXPECT_EQ(backoff.crashed(policy, 1ms, random), 0ms);
  EXPECT_EQ(backoff.crashes_in_a_row(), 1);
}

TEST_F(BackoffTest, EnoughHealthForgets) {
  Backoff backoff;
  for (int i = 0; i < 5; ++i) backoff.crashed(policy, 0ms, random);
  EXPECT_EQ(backoff.crashes_in_a_row(), 5);
  EXPECT_EQ(backoff.crashed(policy, policy.backoff_reset, random), 0ms);
  EXPECT_EQ(backoff.crashes_in_a_row(), 1);
}

TEST_F(BackoffTest, AMaximumBelowTheFirstDelayWins) {
  policy.backoff_first = 1s;
  policy.backoff_max = 10ms;
  for (int crash = 1; crash <= 3; ++crash) EXPECT_LE(longest(crash), 10ms);
}

}  // namespace
}  // namespace serval::supervisor
