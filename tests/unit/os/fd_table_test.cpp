#include "os/fd_table.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

#include "os/unique_fd.hpp"

namespace serval::os {
namespace {

/// FDSize of /proc/self/status (proc(5)).
int table_size() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "FDSize:") continue;
    int size = 0;
    status >> size;
    return size;
  }
  return -1;
}

struct FdTable : testing::Test {
  rlimit before{};
  FdTable() { getrlimit(RLIMIT_NOFILE, &before); }
  ~FdTable() override { setrlimit(RLIMIT_NOFILE, &before); }

  void allow(rlim_t count) {
    const rlimit limit{.rlim_cur = count, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
};

TEST_F(FdTable, HasRoomForAsManyAsWereReserved) {
  allow(1000);
  ASSERT_LT(table_size(), 600);
  reserve_fds(600);
  EXPECT_GE(table_size(), 600);
}

TEST_F(FdTable, TheLimitOfOpenFilesIsNoError) {
  allow(100);
  reserve_fds(100'000);
  EXPECT_GE(table_size(), 100);
}

}  // namespace
}  // namespace serval::os
