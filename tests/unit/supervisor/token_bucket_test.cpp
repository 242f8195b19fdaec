#include "supervisor/token_bucket.hpp"

#include <gtest/gtest.h>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, GivesTheBurstAtOnceThenTheRate) {
  const TimePoint start{1h};
  TokenBucket bucket(3, 10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(start)) << i;
  EXPECT_FALSE(bucket.take(start));
  EXPECT_EQ(bucket.available_at(start), start + 100ms);
  EXPECT_FALSE(bucket.take(start + 99ms));
  EXPECT_TRUE(bucket.take(start + 100ms));
  EXPECT_FALSE(bucket.take(start + 100ms));
}

TEST(TokenBucket, NeverHoldsMoreThanTheBurst) {
  TokenBucket bucket(2, 10);
  EXPECT_TRUE(bucket.take(TimePoint(1h)));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(bucket.take(TimePoint(9h)));
  EXPECT_FALSE(bucket.take(TimePoint(9h)));
}

TEST(TokenBucket, IsAvailableNowWhileItHolds) {
  const TokenBucket bucket(1, 1);
  EXPECT_EQ(bucket.available_at(TimePoint(5s)), TimePoint(5s));
}

}  // namespace
}  // namespace serval::supervisor
