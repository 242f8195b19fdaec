#include "base/histogram.hpp"

#include <gtest/gtest.h>

#include <array>

namespace serval {
namespace {

constexpr std::array kBounds{0.1, 0.2, 0.4};
using Counts = std::array<std::uint64_t, 4>;

double quantile_of(const Counts& counts, double part) {
  return quantile(std::span<const double>(kBounds), std::span<const std::uint64_t>(counts), part);
}

TEST(Histogram, WhatHasBecomeLessHasNotGrown) {
  EXPECT_EQ(grown(5, 3), 2u);
  EXPECT_EQ(grown(3, 3), 0u);
  EXPECT_EQ(grown(3, 5), 0u);
}

TEST(Histogram, QuantileIsLinearWithinItsBucket) {
  EXPECT_DOUBLE_EQ(quantile_of({10, 0, 0, 0}, 0.5), 0.05);
  EXPECT_DOUBLE_EQ(quantile_of({10, 10, 0, 0}, 0.75), 0.15);
  EXPECT_DOUBLE_EQ(quantile_of({0, 0, 4, 0}, 0.5), 0.3);
  EXPECT_DOUBLE_EQ(quantile_of({0, 0, 4, 0}, 1), 0.4);
}

TEST(Histogram, QuantileOnABoundaryIsTheBound) { EXPECT_DOUBLE_EQ(quantile_of({10, 0, 10, 0}, 0.5), 0.1); }

TEST(Histogram, QuantileBeyondTheBoundsIsTheLastOne) {
  EXPECT_DOUBLE_EQ(quantile_of({1, 0, 0, 9}, 0.5), 0.4);
  EXPECT_EQ(quantile_place(std::span<const std::uint64_t>(Counts{1, 0, 0, 9}), 0.5).bucket, 3u);
}

TEST(Histogram, QuantileOfNothingIsZero) {
  EXPECT_EQ(quantile_of({}, 0.5), 0);
  EXPECT_EQ(quantile(std::span<const double>(), std::span<const std::uint64_t>(), 0.5), 0);
}

}  // namespace
}  // namespace serval
