#include "os/proc_file.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "temporary_folder.hpp"

namespace serval::os {
namespace {

using testing::HasSubstr;

TEST(ProcFile, IsReadWholeThoughItsSizeIsGivenAsNone) {
  const auto status = read_proc("/proc/self/status");
  ASSERT_TRUE(status) << status.error();
  EXPECT_THAT(*status, HasSubstr("Pid:\t"));
  EXPECT_EQ(status->back(), '\n');
}

TEST(ProcFile, NamesTheFileThatCannotBeOpened) {
  const auto none = read_proc("/proc/self/no such file");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error(), HasSubstr("/proc/self/no such file"));
  EXPECT_THAT(none.error(), HasSubstr("No such file or directory"));
  EXPECT_EQ(proc_text("/proc/self/no such file"), std::nullopt);
}

TEST(ProcFile, NamesTheFileThatCannotBeRead) {
  const auto folder = read_proc("/proc/self");
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error(), HasSubstr("Is a directory"));
}

TEST(ProcFile, HasNoLimitOfSize) {
  const TemporaryFolder folder;
  const std::string path = folder / "long";
  const std::string text(1 << 20, 'x');
  std::ofstream(path) << text;
  EXPECT_EQ(proc_text(path), text);
}

}  // namespace
}  // namespace serval::os
