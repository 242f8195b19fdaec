#include "base/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>
#include <vector>

namespace serval::log {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::string pattern = (fs::temp_directory_path() / "log_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    settings_.fd = open_file("log");
  }
  ~LogTest() override {
    start({.level = Level::off, .fd = 2}, "test");
    for (const int fd : fds_) ::close(fd);
    fs::remove_all(folder_);
  }
  int open_file(const std::string& name) {
    fds_.push_back(::open((folder_ / name).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    return fds_.back();
  }
  int open_full() {
    fds_.push_back(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    return fds_.back();
  }
  std::vector<std::string> lines(const std::string& name = "log") const {
    std::vector<std::string> found;
    std::ifstream file(folder_ / name);
    for (std::string line; std::getline(file, line);) found.push_back(line);
    return found;
  }

  fs::path folder_;
  Settings settings_;
  std::vector<int> fds_;
};

TEST_F(LogTest, a_line_has_time_level_process_generation_pid_sentence_and_fields) {
  start(settings_, "worker[3]", 2);
  info("worker ready", {{"boot_ms", 12}, {"app", "my shop"}});
  const std::regex shape(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info  worker\[3\] gen=2 pid=)" +
                         std::to_string(::getpid()) + R"(: worker ready boot_ms=12 app="my shop")");
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_TRUE(std::regex_match(lines()[0], shape)) << lines()[0];
}

TEST_F(LogTest, json_lines) {
  settings_.format = Format::json;
  start(settings_, "master");
  warning("line \"with\" quotes\n", {{"n", 1}, {"text", "\xff"}});
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_THAT(lines()[0], EndsWith(R"("level":"warning","process":"master","pid":)" + std::to_string(::getpid()) +
                                   R"(,"msg":"line \"with\" quotes\n","n":1,"text":"\ufffd"})"));
  EXPECT_THAT(lines()[0], testing::StartsWith(R"({"time":")"));
}

TEST_F(LogTest, levels_below_the_one_set_are_silent) {
  settings_.level = Level::warning;
  start(settings_, "master");
  debug("one");
  info("two");
  warning("three");
  error("four");
  captured({"worker[0]", 1, 5, "stdout"}, "five");
  EXPECT_THAT(lines(), ElementsAre(EndsWith(": three"), EndsWith(": four")));
  settings_.level = Level::debug;
  start(settings_, "master");
  debug("five");
  EXPECT_THAT(lines().back(), HasSubstr(" debug master "));
}

TEST_F(LogTest, fields_collected_at_run_time) {
  start(settings_, "master");
  const std::vector<Field> fields = {{"a", 1}, {"b", "x"}};
  write(Level::info, "said", fields);
  EXPECT_THAT(lines(), ElementsAre(EndsWith(": said a=1 b=x")));
}

TEST_F(LogTest, captured_lines_carry_the_writers_name) {
  start(settings_, "master");
  captured({"worker[3]", 2, 4711, "stderr"}, "what the app {} said\x1b");
  EXPECT_THAT(lines(),
              ElementsAre(EndsWith("info  worker[3] gen=2 pid=4711 stream=stderr: what the app {} said\\x1b")));
}

TEST_F(LogTest, dropped_lines_are_counted_and_said_once_writing_works_again) {
  settings_.fd = open_full();
  start(settings_, "master");
  info("lost");
  info("lost too");
  EXPECT_EQ(dropped(), 2u);
  reopen(open_file("log"));
  info("back");
  info("on");
  EXPECT_THAT(
      lines(),
      ElementsAre(EndsWith(": back"),
                  MatchesRegex(".* warning master pid=.*: log lines dropped count=2 why=\"No space left on device\""),
                  EndsWith(": on")));
  EXPECT_EQ(dropped(), 2u);
}

TEST_F(LogTest, what_was_lost_since_that_was_last_said_is_said_at_the_end) {
  settings_.fd = open_full();
  start(settings_, "worker[0]");
  EXPECT_FALSE(write(Level::info, "lost"));
  reopen(open_file("log"));
  EXPECT_TRUE(write(Level::info, "back"));
  reopen(open_full());
  EXPECT_FALSE(write(Level::info, "lost again"));
  EXPECT_TRUE(write(Level::debug, "not wanted"));
  finish();  // the disk is full still
  reopen(open_file("log"));
  info("back again");
  finish();
  finish();
  EXPECT_THAT(lines(), ElementsAre(EndsWith(": back"), HasSubstr("log lines dropped count=1"), EndsWith(": back again"),
                                   HasSubstr("log lines dropped count=1")));
}

TEST_F(LogTest, after_reopen_nothing_goes_to_the_old_file) {
  start(settings_, "master");
  info("old");
  reopen(open_file("new"));
  info("new");
  EXPECT_THAT(lines("log"), ElementsAre(EndsWith(": old")));
  EXPECT_THAT(lines("new"), ElementsAre(EndsWith(": new")));
}

TEST_F(LogTest, a_child_forked_while_threads_log_can_start_its_own) {
  start(settings_, "parent");
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&over] {
      while (!over) info("busy");
    });
  }
  constexpr int kChildren = 20;
  for (int i = 0; i < kChildren; ++i) {  // sooner or later one is forked while a thread holds the parent's locks
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      ::alarm(30);
      start(settings_, "child", 1);
      info("alive");
      ::_exit(0);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  int alive = 0;
  for (const std::string& line : lines()) {
    alive += line.find(" child gen=1 ") != std::string::npos && line.ends_with(": alive") ? 1 : 0;
  }
  EXPECT_EQ(alive, kChildren);
}

}  // namespace
}  // namespace serval::log
