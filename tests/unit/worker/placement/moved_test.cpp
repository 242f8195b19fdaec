#include "worker/placement/moved.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace serval::worker::placement {
namespace {

using namespace std::chrono_literals;
using Limits = std::numeric_limits<std::int64_t>;

TEST(Moved, is_what_the_guest_says_as_far_as_one_can_calculate_with_it) {
  const TimePoint now = TimePoint{} + 1000h;
  const TimePoint earliest = now - 365 * 24h;
  const auto ns = [](TimePoint time) { return std::chrono::nanoseconds(time.time_since_epoch()).count(); };
  const struct {
    std::int64_t said;
    TimePoint time;
  } rows[] = {
      {ns(now - 5s), now - 5s}, {ns(now), now},
      {ns(now + 1ns), now},     {Limits::max(), now},
      {0, TimePoint{}},         {Limits::min(), earliest},
      {ns(earliest), earliest}, {ns(earliest - 1ns), earliest},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(history_of({.accepted_ns = row.said, .last_activity_ns = ns(now)}, now).accepted, row.time) << row.said;
    EXPECT_EQ(history_of({.accepted_ns = ns(now), .last_activity_ns = row.said}, now).last_activity, row.time)
        << row.said;
  }
  EXPECT_EQ(history_of({.requests = 7}, now).requests, 7);
  for (const std::uint32_t requests : {std::uint32_t{INT32_MAX}, std::uint32_t{UINT32_MAX}}) {
    EXPECT_EQ(history_of({.requests = requests}, now).requests, 1'000'000'000) << requests;  // room to go on counting
  }
  EXPECT_TRUE(history_of({.untouched = 1}, now).untouched);
  EXPECT_FALSE(history_of({}, now).untouched);
}

TEST(Moved, WhatAConnectionHasBehindItSurvivesTheWay) {
  const TimePoint now = TimePoint{} + 1000h;
  const http::History before{.accepted = now - 2h, .last_activity = now - 3s, .requests = 41, .untouched = false};
  const ipc::Guest guest = guest_of(before, {"2001:db8::1", 4711});
  const http::History after = history_of(guest, now);
  EXPECT_EQ(after.accepted, before.accepted);
  EXPECT_EQ(after.last_activity, before.last_activity);
  EXPECT_EQ(after.requests, 41);
  EXPECT_FALSE(after.untouched);
  EXPECT_EQ(peer_of(guest).address, "2001:db8::1");
  EXPECT_EQ(peer_of(guest).port, 4711);
}

TEST(Moved, AConnectionThatNothingHasComeOfIsUntouchedThereToo) {
  const TimePoint now = TimePoint{} + 1000h;
  const ipc::Guest guest = guest_of({.accepted = now, .last_activity = now}, {"unix", 0});
  EXPECT_TRUE(history_of(guest, now).untouched);
  EXPECT_EQ(history_of(guest, now).requests, 0);
  EXPECT_EQ(peer_of(guest).address, "unix");
}

}  // namespace
}  // namespace serval::worker::placement
