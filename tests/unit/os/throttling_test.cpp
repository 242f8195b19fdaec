#include "os/throttling.hpp"

#include <gtest/gtest.h>

namespace serval::os {
namespace {

TEST(Throttling, ReadsBothVersions) {
  const auto v2 = parse_throttling("usage_usec 9\nnr_periods 20\nnr_throttled 3\nthrottled_usec 4500\n");
  ASSERT_TRUE(v2);
  EXPECT_EQ(v2->periods, 20U);
  EXPECT_EQ(v2->throttled, 3U);
  EXPECT_EQ(v2->throttled_us, 4500U);
  const auto v1 = parse_throttling("nr_periods 20\nnr_throttled 3\nthrottled_time 4500000\n");
  ASSERT_TRUE(v1);
  EXPECT_EQ(v1->throttled_us, 4500U);
  EXPECT_FALSE(parse_throttling("usage_usec 9\n"));
}

}  // namespace
}  // namespace serval::os
