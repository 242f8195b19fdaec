#include "scoreboard/counters.hpp"

#include <gtest/gtest.h>

#include <set>

namespace serval::scoreboard {
namespace {

using namespace std::chrono_literals;

TEST(Counters, a_bucket_takes_what_is_as_long_as_its_bound_and_no_longer) {
  EXPECT_EQ(bucket_of(-1ns), 0u);
  EXPECT_EQ(bucket_of(0ns), 0u);
  EXPECT_EQ(bucket_of(500us), 0u);
  EXPECT_EQ(bucket_of(500us + 1ns), 1u);
  EXPECT_EQ(bucket_of(1ms), 1u);
  EXPECT_EQ(bucket_of(100ms), 7u);
  EXPECT_EQ(bucket_of(100ms + 1ns), 8u);
  EXPECT_EQ(bucket_of(30s), 14u);
  EXPECT_EQ(bucket_of(30s + 1ns), 15u);
  EXPECT_EQ(bucket_of(Clock::duration::max()), kBuckets - 1);
}

TEST(Counters, bounds_rise) {
  for (std::size_t i = 1; i < kBounds.size(); ++i) EXPECT_LT(kBoundDurations[i - 1], kBoundDurations[i]);
}

TEST(Counters, each_has_a_name_of_its_own_and_a_meaning) {
  const auto check = [](const auto& table) {
    std::set<std::string_view> names;
    for (const auto& row : table) {
      EXPECT_TRUE(names.insert(row.name).second) << row.name;
      EXPECT_FALSE(row.meaning.empty()) << row.name;
    }
  };
  check(kCounters);
  check(kGauges);
  check(kHistograms);
}

}  // namespace
}  // namespace serval::scoreboard
