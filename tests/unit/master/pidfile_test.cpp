#include "master/pidfile.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/exit_code.hpp"
#include "base/result.hpp"

namespace serval::master {
namespace {

namespace fs = std::filesystem;

struct PidfileTest : testing::Test {
  PidfileTest() {
    std::string name = (fs::temp_directory_path() / "serval-pidfile-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder / "serval.pid";
  }
  ~PidfileTest() override { fs::remove_all(folder); }

  std::string content() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder, path;
};

TEST_F(PidfileTest, HoldsOurPidAndGoesWithUs) {
  {
    const Pidfile pidfile(path);
    EXPECT_EQ(content(), std::to_string(::getpid()) + "\n");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(PidfileTest, ALiveOneIsRefusedWithItsPid) {
  const Pidfile first(path);
  try {
    const Pidfile second(path);
    FAIL() << "not refused";
  } catch (const StartupError& error) {
    EXPECT_EQ(error.exit_code, exit_code::cannot_create);
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr(std::to_string(::getpid())), testing::HasSubstr(path.string())));
  }
  EXPECT_TRUE(fs::exists(path)) << "the refused one must not remove it";
}

TEST_F(PidfileTest, AStaleOneIsTakenOver) {
  std::ofstream(path) << "123456789 and more\n";
  const Pidfile pidfile(path);
  EXPECT_EQ(content(), std::to_string(::getpid()) + "\n");
}

TEST_F(PidfileTest, SomebodyElsesFileIsNotRemoved) {
  {
    const Pidfile pidfile(path);
    fs::remove(path);
    std::ofstream(path) << "1\n";
  }
  EXPECT_EQ(content(), "1\n");
}

TEST_F(PidfileTest, AMissingFolderIsAnError) { EXPECT_THROW(Pidfile(folder / "missing" / "serval.pid"), StartupError); }

TEST_F(PidfileTest, NoPathIsNoFile) { EXPECT_NO_THROW(Pidfile("")); }

}  // namespace
}  // namespace serval::master
