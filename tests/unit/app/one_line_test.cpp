#include "app/one_line.hpp"

#include <gtest/gtest.h>

namespace serval::app {
namespace {

TEST(OneLine, EscapesControlBytes) { EXPECT_EQ(one_line("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f"); }
TEST(OneLine, DropsWhiteSpaceAtTheEnd) { EXPECT_EQ(one_line("what\r\n "), "what"); }
TEST(OneLine, KeepsTextInOtherTongues) { EXPECT_EQ(one_line("größer"), "größer"); }

}  // namespace
}  // namespace serval::app
