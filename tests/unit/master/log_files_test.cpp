#include "master/log_files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "base/result.hpp"

namespace serval::master {
namespace {

namespace fs = std::filesystem;

struct LogFilesTest : testing::Test {
  LogFilesTest() {
    std::string name = (fs::temp_directory_path() / "serval-logs-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    config.file = folder / "serval.log";
    config.access = folder / "access.log";
  }
  ~LogFilesTest() override {
    log::start({}, "test");  // the descriptor of the test's log is going to be another file's
    fs::remove_all(folder);
  }

  LogFiles open() const { return std::move(LogFiles::open(config).value()); }
  static void put(int fd, const std::string& text) {
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  static std::string content(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder;
  config::Log config;
};

TEST_F(LogFilesTest, AppendToFiles) {
  std::ofstream(config.file) << "before\n";
  const LogFiles logs = open();
  put(logs.log(), "after\n");
  EXPECT_EQ(content(config.file), "before\nafter\n");
  EXPECT_THAT(logs.files(), testing::ElementsAre(logs.log(), logs.access()));
  for (const int fd : logs.files()) EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
}

TEST_F(LogFilesTest, StandardStreamsAreCopiesAboveThem) {
  config.file = config.access = "-";
  const LogFiles logs = open();
  EXPECT_GT(logs.log(), 2);
  EXPECT_GT(logs.access(), 2);
  EXPECT_THAT(logs.files(), testing::IsEmpty());
}

TEST_F(LogFilesTest, OffIsNoDescriptor) {
  config.access = "off";
  const LogFiles logs = open();
  EXPECT_EQ(logs.access(), -1);
  EXPECT_THAT(logs.files(), testing::ElementsAre(logs.log()));
}

TEST_F(LogFilesTest, AFileThatCannotBeMadeIsRefused) {
  config.file = folder / "missing" / "serval.log";
  const auto refused = LogFiles::open(config);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), testing::HasSubstr(config.file));
}

TEST_F(LogFilesTest, ReopenGoesOnInANewFileUnderTheSameNumber) {
  LogFiles logs = open();
  log::start({.fd = logs.log()}, "test");
  const std::vector<int> before = logs.files();
  put(logs.access(), "old\n");
  fs::rename(config.access, folder / "access.log.1");
  fs::rename(config.file, folder / "serval.log.1");
  logs.reopen();
  EXPECT_EQ(logs.files(), before);
  put(logs.access(), "new\n");
  log::info("new");
  EXPECT_EQ(content(folder / "access.log.1"), "old\n");
  EXPECT_EQ(content(config.access), "new\n");
  EXPECT_THAT(content(config.file), testing::HasSubstr("new"));
  EXPECT_EQ(::fcntl(logs.log(), F_GETFD), FD_CLOEXEC);
}

TEST_F(LogFilesTest, WhatCannotBeReopenedGoesOnInTheOldFile) {
  LogFiles logs = open();
  log::start({.fd = logs.log()}, "test");
  const fs::path moved = folder.string() + ".moved";
  fs::rename(folder, moved);
  logs.reopen();
  put(logs.access(), "still\n");
  EXPECT_EQ(content(moved / "access.log"), "still\n");
  EXPECT_THAT(content(moved / "serval.log"),
              testing::AllOf(testing::HasSubstr("log not reopened"), testing::HasSubstr("access log not reopened")));
  fs::remove_all(moved);
}

}  // namespace
}  // namespace serval::master
