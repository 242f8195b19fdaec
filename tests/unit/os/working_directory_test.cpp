#include "os/working_directory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "temporary_folder.hpp"

namespace serval::os {
namespace {

namespace fs = std::filesystem;

class WorkingDirectoryTest : public testing::Test {
 protected:
  WorkingDirectoryTest() : before_(fs::current_path()) {
    fs::create_directory(folder_ / "7");
    fs::create_directory(folder_ / "8");
    fs::create_directory_symlink("7", folder_ / "current");
    fs::current_path(folder_ / "7");
  }
  ~WorkingDirectoryTest() override { fs::current_path(before_); }

  static std::string with_pwd(const std::string& text) {
    ::setenv("PWD", text.c_str(), 1);
    const auto path = working_directory();
    return path ? *path : path.error();
  }

  TemporaryFolder folder_;
  fs::path before_;
};

TEST_F(WorkingDirectoryTest, IsCalledAsTheUserCallsIt) {
  EXPECT_EQ(with_pwd(folder_ / "current"), folder_ / "current");
  EXPECT_EQ(with_pwd(folder_ / "7"), folder_ / "7");
}

TEST_F(WorkingDirectoryTest, ANameThatLeadsElsewhereIsNotBelieved) {
  const std::string real = fs::canonical(folder_ / "7").string();
  for (const std::string& wrong :
       {folder_ / "8", folder_ / "none", std::string(), std::string("7"), folder_ / "8/../7", folder_ / "./7"}) {
    EXPECT_EQ(with_pwd(wrong), real) << wrong;
  }
  ::unsetenv("PWD");
  EXPECT_EQ(working_directory().value(), real);
}

TEST_F(WorkingDirectoryTest, OneThatIsGoneIsAnError) {
  fs::remove(folder_ / "7");
  ::unsetenv("PWD");
  EXPECT_FALSE(working_directory());
}

}  // namespace
}  // namespace serval::os
