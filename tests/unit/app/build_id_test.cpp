#include "app/build_id.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include <serval/serval.h>

#include "app/host.hpp"
#include "app/module.hpp"

namespace serval::app {
namespace {

TEST(BuildId, TellsLibrariesApartAndIsThatOfTheCodeInMemory) {
  const std::string path = testing::TempDir() + "build_id_" + std::to_string(::getpid()) + ".so";
  std::filesystem::copy_file(FIXTURE_RAW, path);
  EXPECT_EQ(build_id(path), "") << "not loaded yet";
  ASSERT_TRUE(load_module(path, host()));
  const std::string raw = build_id(path);
  EXPECT_THAT(raw, testing::MatchesRegex("[0-9a-f]{16,}"));
  std::filesystem::remove(path);
  std::filesystem::copy_file(FIXTURE_PROBE, path);
  EXPECT_EQ(build_id(path), raw);
  std::filesystem::remove(path);
  ASSERT_TRUE(load_module(FIXTURE_PROBE, host()));
  EXPECT_NE(build_id(FIXTURE_PROBE), raw);
}

}  // namespace
}  // namespace serval::app
