#include "master/output_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/log.hpp"
#include "master/capture.hpp"

namespace serval::master {
namespace {

using testing::HasSubstr;

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

struct OutputFileTest : testing::Test {
  OutputFileTest() : log(::memfd_create("log", MFD_CLOEXEC)) {
    folder = ::mkdtemp(folder.data());
    start_log(log::Format::text);
  }
  ~OutputFileTest() override {
    log::start({}, "test");
    std::filesystem::remove_all(folder);
  }
  void start_log(log::Format format) const { log::start({.format = format, .fd = log.get()}, "test"); }
  std::string path(const std::string& name) const { return folder + "/" + name; }
  std::string logged() const {
    std::string text(static_cast<std::size_t>(::lseek(log.get(), 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(log.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }
  /// What a program that writes this leaves in its file.
  std::string captured(const std::string& text) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    UniqueFd write_end(ends[1]);
    const auto file = files.open(path("out"));
    EXPECT_TRUE(file);
    boost::asio::io_context io;
    Capture capture(
        io, UniqueFd(ends[0]),
        {.process = "it[2]", .pid = 1, .stream = "stderr", .file = *file, .file_program = "it", .instance = 2});
    EXPECT_EQ(::write(write_end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    write_end.reset();
    capture.drain();
    return content(path("out"));
  }

  std::string folder = testing::TempDir() + "serval_output_XXXXXX";
  UniqueFd log;
  OutputFiles files;
};

TEST_F(OutputFileTest, BytesSurviveAsTheyAre) {
  std::string text("a\r\n\0\x1b\xff no end", 14);
  text += std::string(20'000, 'x');
  EXPECT_EQ(captured(text), text);
  EXPECT_EQ(logged(), "");
}

TEST_F(OutputFileTest, AsJsonWhereTheLogIsJson) {
  start_log(log::Format::json);
  const std::string text = captured("plain \x1b\n{\"msg\":\"said\",\"jobs\":3,\"instance\":9}\nlast");
  EXPECT_THAT(text, HasSubstr(R"("program":"it","instance":2,"stream":"stderr","msg":"plain \u001b"})"));
  EXPECT_THAT(text, HasSubstr(R"("msg":"said")"));
  EXPECT_THAT(text, HasSubstr(R"("jobs":3)"));
  EXPECT_THAT(text, testing::Not(HasSubstr("\"instance\":9")));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST_F(OutputFileTest, IsReopenedUnderItsPath) {
  const auto file = files.open(path("out"));
  ASSERT_TRUE(file);
  (*file)->write("before\n");
  EXPECT_EQ(files.open(path("out"))->get(), file->get()) << "it is shared";
  std::filesystem::rename(path("out"), path("out.1"));
  (*file)->write("between\n");
  EXPECT_EQ(files.reopen(), "");
  (*file)->write("after\n");
  EXPECT_EQ(content(path("out.1")), "before\nbetween\n");
  EXPECT_EQ(content(path("out")), "after\n");
  std::filesystem::remove(path("out"));
  std::filesystem::create_directory(path("out"));
  EXPECT_THAT(files.reopen(), HasSubstr("going on with the old file"));
}

TEST_F(OutputFileTest, WhatItDoesNotTakeIsCountedAndSaid) {
  {
    const auto file = files.open("/dev/full");
    ASSERT_TRUE(file);
    (*file)->write("a\nb\nc");
    (*file)->write("d");
  }
  EXPECT_EQ(files.lost_lines(), 3u);
  EXPECT_THAT(logged(), HasSubstr("a program's output cannot be written and is lost file=/dev/full"));
  EXPECT_THAT(logged(), HasSubstr("output of a program was lost file=/dev/full bytes=6"));
  EXPECT_FALSE(files.open(path("no/such/folder")));
}

TEST_F(OutputFileTest, APipeThatNobodyReadsHoldsNothingUp) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto file = files.open(path("pipe"));
  ASSERT_TRUE(file);
  const std::string much(200'000, 'x');
  (*file)->write(much);
  EXPECT_EQ(files.lost_lines(), 1u);
}

}  // namespace
}  // namespace serval::master
