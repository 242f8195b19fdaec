#include "os/random.hpp"

#include <gtest/gtest.h>

namespace serval::os {
namespace {

TEST(Random, HexIsTwoDigitsForEachByte) {
  EXPECT_EQ(random_hex(0), "");
  const std::string digits = random_hex(16);
  EXPECT_EQ(digits.size(), 32u);
  EXPECT_EQ(digits.find_first_not_of("0123456789abcdef"), std::string::npos) << digits;
}

TEST(Random, IsNeverTheSameTwice) {
  EXPECT_NE(random_hex(16), random_hex(16));
  EXPECT_NE(random_bits(), random_bits());
}

}  // namespace
}  // namespace serval::os
