#include "master/app_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace serval::master {
namespace {

constexpr AppFile kNone{};
constexpr AppFile kLoaded{.device = 1, .inode = 10, .size = 100, .modified_ns = 5};
constexpr AppFile kWrittenInto{.device = 1, .inode = 10, .size = 101, .modified_ns = 6};
constexpr AppFile kReplaced{.device = 1, .inode = 11, .size = 100, .modified_ns = 7};

TEST(AppFile, OnlyOneThatWasWrittenIntoIsOverwritten) {
  EXPECT_FALSE(overwritten(kLoaded, kLoaded));
  EXPECT_TRUE(overwritten(kLoaded, kWrittenInto));
  EXPECT_FALSE(overwritten(kLoaded, kReplaced)) << "what runs is still all of the old file";
  EXPECT_FALSE(overwritten(kLoaded, kNone));
  EXPECT_FALSE(overwritten(kNone, kLoaded));
}

TEST(AppFile, IsWorthLoadingOnceIfItIsAnother) {
  EXPECT_TRUE(worth_loading(kReplaced, kLoaded, kNone));
  EXPECT_FALSE(worth_loading(kLoaded, kLoaded, kNone)) << "it would crash again";
  EXPECT_FALSE(worth_loading(kReplaced, kLoaded, kReplaced)) << "it has been tried";
  EXPECT_TRUE(worth_loading(kWrittenInto, kLoaded, kReplaced));
  EXPECT_FALSE(worth_loading(kNone, kLoaded, kNone));
}

TEST(AppFile, IsEqualUntilThereIsAnother) {
  std::string pattern = testing::TempDir() + "app_file_XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const std::filesystem::path library = folder / "app.so";
  EXPECT_EQ(look_at_app(library), kNone);
  std::ofstream(library) << "first";
  const AppFile first = look_at_app(library);
  EXPECT_EQ(first.size, 5);
  EXPECT_EQ(look_at_app(library), first);
  std::ofstream(folder / "next.so") << "other";
  std::filesystem::rename(folder / "next.so", library);
  EXPECT_NE(look_at_app(library), first);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace serval::master
