#include "worker/slow_requests.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint at(std::chrono::milliseconds time) { return TimePoint(1h) + time; }

TEST(TimeSpent, IsDividedByHowFarTheRequestGot) {
  const struct {
    const char* rule;
    Milestones milestones;
    TimeSpent spent;
  } rows[] = {
      {"all steps", {at(0ms), at(1ms), at(3ms), at(6ms), at(10ms), at(15ms)}, {1ms, 2ms, 3ms, 4ms, 5ms}},
      {"without a body the head is all", {at(0ms), {}, at(3ms), at(6ms), at(10ms), at(15ms)}, {3ms, 0ms, 3ms, 4ms, 5ms}},
      {"its head never came", {at(0ms), {}, {}, {}, {}, at(15ms)}, {15ms, 0ms, 0ms, 0ms, 0ms}},
      {"its body never came", {at(0ms), at(1ms), {}, {}, {}, at(15ms)}, {1ms, 14ms, 0ms, 0ms, 0ms}},
      {"no thread became free", {at(0ms), {}, at(3ms), {}, {}, at(15ms)}, {3ms, 0ms, 12ms, 0ms, 0ms}},
      {"its handler has not returned", {at(0ms), {}, at(3ms), at(6ms), {}, at(15ms)}, {3ms, 0ms, 3ms, 9ms, 0ms}},
      {"its handler returns after the answer of serval's own", {at(0ms), {}, at(3ms), at(6ms), at(20ms), at(15ms)},
       {3ms, 0ms, 3ms, 9ms, 0ms}},
      {"a handler of an earlier request has no share in it", {at(5ms), {}, at(6ms), at(7ms), at(3ms), at(15ms)},
       {1ms, 0ms, 1ms, 0ms, 8ms}},
  };
  for (const auto& row : rows) EXPECT_EQ(time_spent(row.milestones), row.spent) << row.rule;
}

TEST(SlowRequests, AreThoseThatTakeAsLongAsTheLimit) {
  boost::asio::io_context io;
  EXPECT_FALSE(SlowRequests(io, 0ms).is_slow(1h));
  EXPECT_FALSE(SlowRequests(io, 10ms).is_slow(9ms));
  EXPECT_TRUE(SlowRequests(io, 10ms).is_slow(10ms));
}

}  // namespace
}  // namespace serval::worker
