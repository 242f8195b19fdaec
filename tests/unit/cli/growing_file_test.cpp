#include "cli/growing_file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace serval::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class GrowingFileTest : public testing::Test {
 protected:
  GrowingFileTest() {
    std::string pattern = (fs::temp_directory_path() / "growing_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "log";
    add("");
  }
  ~GrowingFileTest() override { fs::remove_all(folder_); }

  void add(const std::string& text) { std::ofstream(path_, std::ios::app | std::ios::binary) << text; }
  GrowingFile open() {
    Result<GrowingFile> file = GrowingFile::open(path_);
    if (!file) throw std::runtime_error(file.error());
    return std::move(*file);
  }
  static std::vector<std::string> last(GrowingFile& file, std::size_t count, std::string_view text = "") {
    return file.take_last(count, [text](std::string_view line) { return line.find(text) != std::string_view::npos; });
  }
  static std::vector<std::string> news(GrowingFile& file) {
    std::vector<std::string> lines;
    file.read_new([&](std::string_view line) { lines.emplace_back(line); });
    return lines;
  }

  fs::path folder_, path_;
};

TEST_F(GrowingFileTest, gives_the_last_lines) {
  add("one\ntwo\n\nfour\n");
  GrowingFile file = open();
  EXPECT_THAT(last(file, 0), IsEmpty());
  EXPECT_THAT(last(file, 1), ElementsAre("four"));
  EXPECT_THAT(last(file, 3), ElementsAre("two", "", "four"));
  EXPECT_THAT(last(file, 4), ElementsAre("one", "two", "", "four"));
  EXPECT_THAT(last(file, 9), ElementsAre("one", "two", "", "four"));
  EXPECT_THAT(last(file, 1, "o"), ElementsAre("four"));
  EXPECT_THAT(last(file, 2, "w"), ElementsAre("two"));
}

TEST_F(GrowingFileTest, lines_may_lie_across_the_blocks_that_are_read) {
  std::vector<std::string> all;
  for (int i = 0; i < 3000; ++i) all.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'x'));
  all[1500] = std::string(200'000, 'y');
  for (const std::string& line : all) add(line + "\n");
  GrowingFile file = open();
  EXPECT_EQ(last(file, 9999), all);
  EXPECT_EQ(last(file, 2500), std::vector<std::string>(all.end() - 2500, all.end()));
  GrowingFile again = open();
  EXPECT_EQ(news(again), all);
}

TEST_F(GrowingFileTest, goes_on_behind_the_last_lines) {
  add("one\ntwo\nthr");
  GrowingFile file = open();
  EXPECT_THAT(last(file, 1), ElementsAre("two"));
  EXPECT_THAT(news(file), IsEmpty());
  add("ee");
  EXPECT_THAT(news(file), IsEmpty());
  add("\nfour\n");
  EXPECT_THAT(news(file), ElementsAre("three", "four"));
  EXPECT_THAT(news(file), IsEmpty());
}

TEST_F(GrowingFileTest, without_a_line_there_is_none) {
  GrowingFile file = open();
  EXPECT_THAT(last(file, 5), IsEmpty());
  add("begun");
  EXPECT_THAT(last(file, 5), IsEmpty());
  add(" and ended\n");
  EXPECT_THAT(news(file), ElementsAre("begun and ended"));
}

TEST_F(GrowingFileTest, begins_anew_when_it_is_truncated) {
  add("one\ntwo\nthr");
  GrowingFile file = open();
  last(file, 1);
  fs::resize_file(path_, 0);
  EXPECT_THAT(news(file), IsEmpty());
  add("new\n");
  EXPECT_THAT(news(file), ElementsAre("new"));
}

TEST_F(GrowingFileTest, notices_another_file_at_its_path) {
  GrowingFile file = open();
  EXPECT_FALSE(file.is_replaced_at(path_));
  fs::rename(path_, folder_ / "log.1");
  EXPECT_FALSE(file.is_replaced_at(path_));
  add("x\n");
  EXPECT_TRUE(file.is_replaced_at(path_));
}

TEST_F(GrowingFileTest, only_a_regular_file_can_be_read) {
  EXPECT_EQ(GrowingFile::open(folder_ / "none").error(), "No such file or directory");
  const std::string no_file = "it is no regular file, and keeps nothing that could be read again";
  EXPECT_EQ(GrowingFile::open("/dev/null").error(), no_file);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(GrowingFile::open(folder_ / "pipe").error(), no_file);
}

}  // namespace
}  // namespace serval::cli
