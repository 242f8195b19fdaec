#include "worker/refusals.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

TEST(Refusals, OnlyTheFirstLineIsShownAndNotAllOfALongOne) {
  EXPECT_EQ(shown_of("GET / HTTP/9\r\nCookie: secret\r\n"), "GET / HTTP/9");
  EXPECT_EQ(shown_of("GET /\nCookie: secret"), "GET /");
  EXPECT_EQ(shown_of("\r\n"), "");
  EXPECT_EQ(shown_of(""), "");
  EXPECT_EQ(shown_of(std::string(500, 'x')), std::string(100, 'x'));
  EXPECT_EQ(shown_of("a\rb"), "a\rb");
}

}  // namespace
}  // namespace serval::worker
