#include "worker/trim.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(Trim, after_a_flood_once_idle_and_only_if_it_is_worth_it) {
  Trim trim;
  EXPECT_FALSE(trim.due(10 * kMiB, 0, false));  // what it begins with
  EXPECT_FALSE(trim.due(17 * kMiB, 0, false));
  EXPECT_FALSE(trim.due(200 * kMiB, 300, true));
  EXPECT_FALSE(trim.due(200 * kMiB, 300, true)) << "some are in hand";
  EXPECT_FALSE(trim.due(200 * kMiB, 301, false)) << "one has been answered since";
  EXPECT_TRUE(trim.due(200 * kMiB, 301, false));
  trim.done(150 * kMiB);
  EXPECT_FALSE(trim.due(150 * kMiB, 301, false)) << "what is left is in use";
  EXPECT_FALSE(trim.due(20 * kMiB, 301, false)) << "the app has freed it";
  EXPECT_TRUE(trim.due(40 * kMiB, 301, false)) << "from the least that there has been";
}

}  // namespace
}  // namespace serval::worker
