#include "worker/room.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

TEST(Room, what_connections_leave_to_the_app_below_serval_s_own) {
  const struct {
    int limit, first_own, crowded;
  } rows[] = {{16, 3, 12},     {64, 3, 56},      {100, 3, 88},      {128, 80, 70},
              {512, 384, 336}, {1024, 896, 832}, {4096, 896, 4032}, {1 << 20, 896, (1 << 20) - 64}};
  for (const auto& row : rows) {
    EXPECT_EQ(os::first_own_fd(row.limit), row.first_own) << row.limit;
    EXPECT_EQ(crowded_from(row.limit), row.crowded) << row.limit;
  }
}

TEST(Room, few_connections_are_closed_at_a_time) {
  EXPECT_EQ(to_close(0), 0U);
  EXPECT_EQ(to_close(1), 1U);
  EXPECT_EQ(to_close(8), 1U);
  EXPECT_EQ(to_close(80), 10U);
  EXPECT_EQ(to_close(10000), 32U);
}

}  // namespace
}  // namespace serval::worker
