#include "worker/last_chances.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

TEST(LastChances, who_returns_within_a_second_is_not_stuck) {
  const TimePoint start{};
  const int a = 0, b = 0, c = 0;
  LastChances chances;
  EXPECT_EQ(chances.next(), std::nullopt);
  chances.add(&a, start);
  chances.add(&b, start + 500ms);
  chances.add(&c, start + 600ms);
  EXPECT_EQ(chances.next(), start + 1s);
  EXPECT_EQ(chances.give_up(start + 999ms), 0);
  chances.returned(&b);  // in time
  EXPECT_EQ(chances.give_up(start + 1s), 1);
  EXPECT_EQ(chances.next(), start + 1600ms);
  EXPECT_EQ(chances.stuck(), 1);
  EXPECT_EQ(chances.told(), 2);
  EXPECT_EQ(chances.give_up(start + 2s), 1);
  EXPECT_EQ(chances.next(), std::nullopt);
  chances.returned(&a);  // too late, but it has
  chances.returned(&a);
  EXPECT_EQ(chances.stuck(), 1);
  chances.returned(&c);
  EXPECT_EQ(chances.stuck(), 0);
  EXPECT_EQ(chances.told(), 0);
}

}  // namespace
}  // namespace serval::worker
