#include "os/program_file.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "os/spawn.hpp"
#include "os/wait.hpp"
#include "temporary_folder.hpp"

namespace serval::os {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ProgramFileTest : public testing::Test {
 protected:
  std::string copy(const char* program) {
    fs::copy_file(fs::canonical(*find_program(program)), folder_ / "program", fs::copy_options::overwrite_existing);
    return folder_ / "program";
  }

  std::string error_for(const std::string& content, fs::perms mode) {
    const std::string path = folder_ / "program";
    std::ofstream(path, std::ios::binary) << content;
    fs::permissions(path, mode);
    const auto program = ProgramFile::open(path);
    return program ? "" : program.error();
  }

  static int exit_code_of(const ProgramFile& program) {
    Spawn what;
    what.program = program.executable();
    const auto pid = spawn(what);
    EXPECT_TRUE(pid) << pid.error();
    return pid ? wait_for(*pid)->code : -1;
  }

  TemporaryFolder folder_;
};

TEST_F(ProgramFileTest, IsRunWhateverBecomesOfItsPath) {
  const std::string path = copy("false");
  const auto program = ProgramFile::open(path);
  ASSERT_TRUE(program) << program.error();
  EXPECT_EQ(program->path(), path);
  fs::rename(path, path + ".old");
  copy("true");
  EXPECT_EQ(exit_code_of(*program), 1);
  EXPECT_TRUE(program->unchanged());
}

TEST_F(ProgramFileTest, NoticesThatItWasWrittenInto) {
  const std::string path = copy("true");
  const auto program = ProgramFile::open(path);
  ASSERT_TRUE(program) << program.error();
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_FALSE(program->unchanged());
}

TEST_F(ProgramFileTest, SaysWhatIsThereInstead) {
  constexpr auto runs = fs::perms(0755);
  EXPECT_THAT(error_for("#!/bin/sh\nexit 0\n", runs), HasSubstr("it is a script"));
  EXPECT_THAT(error_for("text", runs), HasSubstr("it is no machine code"));
  EXPECT_THAT(error_for("", runs), HasSubstr("it is no machine code"));
  EXPECT_THAT(error_for("\177ELF", fs::perms(0644)), HasSubstr("may not be executed"));
  EXPECT_THAT(ProgramFile::open(folder_ / "").error(), HasSubstr("it is a folder"));
  EXPECT_THAT(ProgramFile::open(folder_ / "none").error(), HasSubstr("No such file"));
  EXPECT_THAT(ProgramFile::open("serval-no-such-program").error(), HasSubstr("no such program in PATH"));
}

}  // namespace
}  // namespace serval::os
