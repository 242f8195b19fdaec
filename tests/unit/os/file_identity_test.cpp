#include "os/file_identity.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "temporary_folder.hpp"

namespace serval::os {
namespace {

namespace fs = std::filesystem;

TEST(FileIdentity, changes_with_what_is_written_and_with_the_file_itself) {
  const TemporaryFolder folder;
  const std::string file = fs::path(folder.path()) / "file";
  std::ofstream(file) << "one";
  const auto first = identity_of_file(file);
  ASSERT_TRUE(first);
  EXPECT_EQ(identity_of_file(file), first);
  std::ofstream(file, std::ios::app) << "two";
  EXPECT_NE(identity_of_file(file), first);
  const auto second = identity_of_file(file);
  fs::copy_file(file, file + ".new");
  fs::last_write_time(file + ".new", fs::last_write_time(file));
  fs::rename(file + ".new", file);
  EXPECT_NE(identity_of_file(file), second);
}

TEST(FileIdentity, is_that_of_where_a_link_leads) {
  const TemporaryFolder folder;
  const fs::path file = fs::path(folder.path()) / "file";
  std::ofstream(file) << "one";
  fs::create_symlink(file, folder.path() / fs::path("link"));
  EXPECT_EQ(identity_of_file(fs::path(folder.path()) / "link"), identity_of_file(file));
}

TEST(FileIdentity, is_none_of_what_is_no_regular_file) {
  const TemporaryFolder folder;
  EXPECT_FALSE(identity_of_file(folder.path()));
  EXPECT_FALSE(identity_of_file(fs::path(folder.path()) / "nothing"));
  EXPECT_FALSE(identity_of_file("/dev/null"));
}

}  // namespace
}  // namespace serval::os
