#include "os/pressure.hpp"

#include <gtest/gtest.h>

namespace serval::os {
namespace {

TEST(Pressure, ReadsTheTotals) {
  const auto both = parse_pressure(
      "some avg10=0.00 avg60=0.12 avg300=0.05 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=789\n");
  ASSERT_TRUE(both);
  EXPECT_EQ(both->some_us, 123456U);
  EXPECT_EQ(both->full_us, 789U);
  const auto one = parse_pressure("some avg10=0.00 avg60=0.12 avg300=0.05 total=5\n");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->full_us, 0U);
  for (const char* text : {"", "full avg10=0 total=3\n", "some total=x\n", "some\n"})
    EXPECT_FALSE(parse_pressure(text)) << text;
}

}  // namespace
}  // namespace serval::os
