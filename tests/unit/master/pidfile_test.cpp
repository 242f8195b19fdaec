#include "master/pidfile.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

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

TEST_F(PidfileTest, WhatIsNoRegularFileIsLeftWhereItIs) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  try {
    Pidfile pidfile(path);
    FAIL() << "a pipe was replaced";
  } catch (const StartupError& error) {
    EXPECT_EQ(error.exit_code, exit_code::cannot_create);
    EXPECT_THAT(error.what(), testing::HasSubstr("no regular file"));
  }
  EXPECT_TRUE(fs::is_fifo(path));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "what was made beside it is gone";
}

TEST_F(PidfileTest, ALinkThatLeadsNowhereIsRefusedByName) {
  fs::create_symlink(folder / "nothing", path);
  try {
    Pidfile pidfile(path);
    FAIL() << "a link was replaced";
  } catch (const StartupError& error) {
    EXPECT_EQ(error.exit_code, exit_code::cannot_create);
    EXPECT_THAT(error.what(), testing::HasSubstr("it is a symbolic link that leads nowhere"));
  }
  EXPECT_TRUE(fs::is_symlink(path));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "what was made beside it is gone";
}

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
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr(std::to_string(::getpid())), testing::HasSubstr(path.string())));
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

/// Whoever may read the file can have these: other users, as a rule.
TEST_F(PidfileTest, LocksOfReadersKeepNobodyOut) {
  std::ofstream(path) << "1\n";
  const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct flock shared = {};
  shared.l_type = F_RDLCK;
  ASSERT_EQ(::fcntl(reader.get(), F_OFD_SETLK, &shared), 0);
  ASSERT_EQ(::flock(reader.get(), LOCK_EX), 0);
  {
    const Pidfile pidfile(path);
    EXPECT_EQ(content(), std::to_string(::getpid()) + "\n");
    EXPECT_THROW(Pidfile{path}, StartupError);
    const UniqueFd late(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(::fcntl(late.get(), F_OFD_SETLK, &shared), -1);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(PidfileTest, OnAFullDiskNothingIsLeft) {
  std::ofstream(path) << "1\n";
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit none{0, before.rlim_max};
  ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &none);
  EXPECT_THROW(Pidfile{path}, StartupError);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(content(), "1\n") << "what was there stays";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(PidfileTest, ToolsMayReadIt) {
  const Pidfile pidfile(path);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0644));
}

TEST_F(PidfileTest, OfManyWhoStartAtOnceOneHasIt) {
  for (int round = 0; round < 20; ++round) {
    std::ofstream(path) << "1\n";
    std::vector<std::unique_ptr<Pidfile>> held(8);
    std::vector<std::thread> threads;
    for (auto& one : held) {
      threads.emplace_back([&] {
        try {
          one = std::make_unique<Pidfile>(path);
        } catch (const StartupError&) {
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::count_if(held.begin(), held.end(), [](const auto& one) { return one != nullptr; }), 1);
  }
}

TEST_F(PidfileTest, AMissingFolderIsAnError) { EXPECT_THROW(Pidfile(folder / "missing" / "serval.pid"), StartupError); }

TEST_F(PidfileTest, NoPathIsNoFile) { EXPECT_NO_THROW(Pidfile("")); }

}  // namespace
}  // namespace serval::master
