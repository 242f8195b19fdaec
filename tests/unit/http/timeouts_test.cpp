#include "http/timeouts.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace serval::http {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kBegin = TimePoint{} + 100s;

Timeouts limits(Duration body_timeout, std::size_t min_rate) {
  return {.body = body_timeout, .body_min_rate = min_rate};
}

TEST(DeadlineAfter, ZeroIsNone) {
  EXPECT_EQ(deadline_after(kBegin, 0s), TimePoint::max());
  EXPECT_EQ(deadline_after(kBegin, 3s), kBegin + 3s);
}

TEST(BodyDeadline, TableOfProgress) {
  struct Row {
    const char* what;
    Duration timeout;
    std::size_t min_rate;
    Duration last_read;  // after begin
    std::uint64_t received;
    Duration expected;   // after begin
  };
  const Row rows[] = {
      {"nothing came: the rate's grace ends first", 30s, 512, 0s, 0, 5s},
      {"nothing came, short timeout", 2s, 512, 0s, 0, 2s},
      {"a byte a second does not move the rate's end", 30s, 512, 4s, 5, 5s},
      {"20 s worth of bytes came at once", 30s, 512, 0s, 512 * 20, 20s},
      {"silence after a good start", 3s, 512, 1s, 512 * 100, 4s},
      {"no minimal rate", 30s, 0, 7s, 1, 37s},
      {"rate only", 0s, 1000, 9s, 12000, 12s},
  };
  for (const Row& row : rows) {
    const BodyProgress progress{.begin = kBegin, .last_read = kBegin + row.last_read, .received = row.received};
    EXPECT_EQ(body_deadline(progress, limits(row.timeout, row.min_rate)), kBegin + row.expected) << row.what;
  }
}

TEST(BodyDeadline, WithoutAnyLimitThereIsNone) {
  EXPECT_EQ(body_deadline({.begin = kBegin, .last_read = kBegin, .received = 0}, limits(0s, 0)), TimePoint::max());
}

}  // namespace
}  // namespace serval::http
