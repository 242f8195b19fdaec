#include "worker/flood_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace serval::worker {
namespace {

using testing::ElementsAre;

TEST(FloodLine, WhatCouldNotBeSaidIsPartOfTheNextSum) {
  boost::asio::io_context io;
  std::vector<std::uint64_t> told;
  bool full = true;
  FloodLine line(io, [&](std::uint64_t count) {
    told.push_back(count);
    return !full;
  });
  line.add(3);
  line.add(2);
  EXPECT_THAT(told, ElementsAre(3)) << "not over and over";
  line.finish();
  EXPECT_THAT(told, ElementsAre(3, 5));
  full = false;
  line.finish();
  line.finish();
  EXPECT_THAT(told, ElementsAre(3, 5, 5));
}

}  // namespace
}  // namespace serval::worker
