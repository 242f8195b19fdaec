#include "master/worker_count.hpp"

#include <cstdint>

#include <gmock/gmock.h>

namespace serval::master {
namespace {

constexpr std::uint64_t kGiB = 1024ULL * 1024 * 1024;

TEST(WorkerCount, IsTwicePlusOne) {
  const WorkerCount count = count_workers({}, 2, "2 of 8 CPUs by affinity", 64 * kGiB);
  EXPECT_EQ(count.workers, 5);
  EXPECT_THAT(count.why, testing::HasSubstr("2 of 8 CPUs by affinity"));
}

TEST(WorkerCount, IsCappedByMemory) {
  const WorkerCount count = count_workers({}, 32, "32 CPUs", kGiB / 2);
  EXPECT_EQ(count.workers, 8);
  EXPECT_THAT(count.why, testing::AllOf(testing::HasSubstr("512 MiB"), testing::HasSubstr("65")));
}

TEST(WorkerCount, IsAtLeastOne) { EXPECT_EQ(count_workers({}, 1, "1 CPU", 1).workers, 1); }

TEST(WorkerCount, UnknownMemoryIsNoLimit) { EXPECT_EQ(count_workers({}, 4, "4 CPUs", {}).workers, 9); }

TEST(WorkerCount, WhatIsConfiguredWins) {
  EXPECT_EQ(count_workers(40, 1, "1 CPU", 1).workers, 40);
  EXPECT_EQ(count_workers(40, 1, "1 CPU", 1).why, "configured");
}

}  // namespace
}  // namespace serval::master
