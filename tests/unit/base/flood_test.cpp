#include "base/flood.hpp"

#include <gtest/gtest.h>

namespace serval {
namespace {

using namespace std::chrono_literals;

TimePoint at(Clock::duration since) { return TimePoint{} + 1h + since; }

TEST(Flood, TheFirstIsSaidAtOnceAndTheRestAsASum) {
  Flood flood;
  EXPECT_EQ(flood.next(), TimePoint::max());
  EXPECT_EQ(flood.add(at(0s)), 1u);
  EXPECT_EQ(flood.next(), TimePoint::max());
  EXPECT_EQ(flood.add(at(1s)), 0u);
  EXPECT_EQ(flood.add(at(2s), 40), 0u);
  EXPECT_EQ(flood.next(), at(10s));
  EXPECT_EQ(flood.due(at(9s)), 0u);
  EXPECT_EQ(flood.due(at(10s)), 41u);
  EXPECT_EQ(flood.due(at(30s)), 0u) << "nothing has come since";
  EXPECT_EQ(flood.add(at(31s)), 1u);
}

TEST(Flood, OneThatGoesOnIsOneLineAPause) {
  Flood flood;
  std::uint64_t said = 0;
  int lines = 0;
  for (auto now = 0ms; now < 60s; now += 10ms) {
    const std::uint64_t count = flood.add(at(now));
    said += count;
    lines += count > 0 ? 1 : 0;
  }
  EXPECT_EQ(lines, 6);
  EXPECT_EQ(said + flood.rest(), 6000u);
  EXPECT_EQ(flood.rest(), 0u);
}

}  // namespace
}  // namespace serval
