#include "os/file_watch.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>
#include <fstream>

#include "temporary_folder.hpp"

namespace serval::os {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
 protected:
  void add(const fs::path& file) { std::ofstream(file, std::ios::app) << "x\n"; }
  /// Whether it has heard of anything since the last time.
  bool heard() {
    pollfd event = {watch_.fd(), POLLIN, 0};
    const bool any = ::poll(&event, 1, 0) > 0;
    watch_.clear();
    return any;
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path();
  fs::path file_ = folder_ / "log";
  FileWatch watch_;
};

TEST_F(FileWatchTest, hears_of_growth_truncation_and_renaming) {
  add(file_);
  EXPECT_TRUE(watch_.watch(file_));
  EXPECT_FALSE(heard());
  add(file_);
  EXPECT_TRUE(heard());
  EXPECT_FALSE(heard());
  fs::resize_file(file_, 0);
  EXPECT_TRUE(heard());
  fs::rename(file_, folder_ / "log.1");
  EXPECT_TRUE(heard());
}

TEST_F(FileWatchTest, hears_of_a_file_that_takes_the_place) {
  EXPECT_TRUE(watch_.watch(file_));  // there is none yet
  add(file_);
  EXPECT_TRUE(heard());
}

TEST_F(FileWatchTest, hears_of_both_once_it_watches_both) {
  add(file_);
  watch_.watch(file_);
  fs::rename(file_, folder_ / "log.1");
  add(file_);
  EXPECT_TRUE(watch_.watch(file_));
  heard();
  add(folder_ / "log.1");
  EXPECT_TRUE(heard());
  add(file_);
  EXPECT_TRUE(heard());
}

TEST_F(FileWatchTest, does_not_wake_for_the_files_beside) {
  add(file_);
  add(folder_ / "other");
  watch_.watch(file_);
  add(folder_ / "other");
  EXPECT_FALSE(heard());
}

TEST_F(FileWatchTest, hears_of_another_file_where_a_link_leads) {
  fs::create_directory(folder_ / "real");
  add(folder_ / "real" / "log");
  fs::create_symlink("real/log", file_);
  EXPECT_TRUE(watch_.watch(file_));
  fs::remove(folder_ / "real" / "log");
  heard();
  add(folder_ / "real" / "log");
  EXPECT_TRUE(heard());
}

TEST_F(FileWatchTest, says_what_it_cannot_watch) {
  EXPECT_FALSE(watch_.watch(folder_ / "none" / "log"));
}

}  // namespace
}  // namespace serval::os
