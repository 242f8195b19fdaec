#include "os/open_files.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include "os/unique_fd.hpp"

namespace serval::os {
namespace {

TEST(OpenFiles, ReadsTheSoftLimit) {
  EXPECT_EQ(parse_open_files_limit("Max open files            1024                 524288               files     \n"),
            1024U);
  EXPECT_EQ(parse_open_files_limit("Max open files            unlimited            unlimited            files     \n"),
            UINT64_MAX);
  EXPECT_FALSE(parse_open_files_limit("Max processes             1024 1024 processes\n"));
}

TEST(OpenFiles, OfThisProcess) {
  const auto before = open_files(::getpid());
  if (!before) GTEST_SKIP() << "this kernel does not tell";
  const UniqueFd one(::dup(2));
  EXPECT_EQ(open_files(::getpid())->open, before->open + 1);
}

}  // namespace
}  // namespace serval::os
