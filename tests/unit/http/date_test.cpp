#include "http/date.hpp"

#include <gtest/gtest.h>

#include <string>

namespace serval::http {
namespace {

std::string at(long long milliseconds) {
  return std::string(date_text(std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds))));
}

TEST(Date, IsAnImfFixdate) {
  EXPECT_EQ(at(784111777000), "Sun, 06 Nov 1994 08:49:37 GMT");  // the example of RFC 9110 §5.6.7
  EXPECT_EQ(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(at(1709210096999), "Thu, 29 Feb 2024 12:34:56 GMT");
  EXPECT_EQ(at(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(Date, FollowsTheSecond) {
  EXPECT_EQ(at(1999), at(1000));
  EXPECT_NE(at(2000), at(1999));
  EXPECT_EQ(at(1000), "Thu, 01 Jan 1970 00:00:01 GMT");
}

TEST(Date, NowIsTheSameAsTheClockSays) {
  const auto before = std::chrono::system_clock::now();
  const std::string now(date_now());
  const auto after = std::chrono::system_clock::now();
  bool found = false;
  // std::time may be a tick behind the fine clock.
  for (auto second = before - std::chrono::seconds(1); second <= after + std::chrono::seconds(1);
       second += std::chrono::seconds(1)) {
    found = found || now == date_text(second);
  }
  EXPECT_TRUE(found) << now;
}

}  // namespace
}  // namespace serval::http
