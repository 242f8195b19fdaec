#include "base/units.hpp"

#include <gtest/gtest.h>

namespace serval {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsNumbersWithUnits) {
  const std::pair<const char*, Duration> table[] = {
      {"500ms", 500ms},         {"30s", 30s}, {"5m", 5min}, {"1h", 1h},   {"1h30m", 90min},
      {"1m30s250ms", 90'250ms}, {" 2s ", 2s}, {"0", 0ms},   {"off", 0ms}, {"0s", 0ms},
  };
  for (const auto& [text, duration] : table) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, duration) << text;
  }
}

TEST(Duration, RefusesEverythingElse) {
  for (const auto* text : {"", " ", "30", "s", "30 s", "30x", "30S", "-1s", "+1s", "1.5s", "1s1m", "1s1s", "1h 30m",
                           "99999999999999999999s", "999999999999h", "on"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Duration, IsWrittenAsItIsRead) {
  const std::pair<Duration, const char*> table[] = {{0ms, "0"},   {1ms, "1ms"}, {60s, "60s"},   {90s, "90s"},
                                                    {5min, "5m"}, {1h, "1h"},   {90min, "90m"}, {1500ms, "1500ms"}};
  for (const auto& [duration, text] : table) {
    EXPECT_EQ(format_duration(duration), text);
    EXPECT_EQ(*parse_duration(text), duration);
  }
}

TEST(Size, ReadsBinaryAndDecimalUnits) {
  const std::pair<const char*, std::size_t> table[] = {
      {"0", 0},
      {"off", 0},
      {"4096", 4096},
      {"10B", 10},
      {"64KiB", 65536},
      {"64kib", 65536},
      {"512MiB", 512ull << 20},
      {"1GiB", 1ull << 30},
      {"2TiB", 2ull << 40},
      {"64KB", 64000},
      {"5mb", 5'000'000},
      {"1GB", 1'000'000'000},
  };
  for (const auto& [text, bytes] : table) {
    const auto parsed = parse_size(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(Size, RefusesEverythingElse) {
  for (const auto* text :
       {"", "KiB", "64 KiB", "64K", "64k", "1.5MiB", "-1", "1MiBs", "99999999999999999999", "9999999999TiB"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

TEST(Size, IsWrittenAsItIsRead) {
  for (const std::size_t bytes : {0ul, 1ul, 1000ul, 1024ul, 1536ul, 65536ul, 16ul << 20, 3ul << 30, 5ul << 40}) {
    EXPECT_EQ(*parse_size(format_size(bytes)), bytes);
  }
  EXPECT_EQ(format_size(16 << 20), "16MiB");
  EXPECT_EQ(format_size(1000), "1000");
}

TEST(Mode, IsOctal) {
  EXPECT_EQ(*parse_mode("0022"), 0022u);
  EXPECT_EQ(*parse_mode("660"), 0660u);
  EXPECT_EQ(format_mode(0022), "0022");
  for (const auto* text : {"", "8", "0o22", "rwx", "-1", "77777", "0x1"}) {
    EXPECT_FALSE(parse_mode(text).has_value()) << text;
  }
}

TEST(Units, TwoSizesInOneUnit) {
  EXPECT_EQ(format_size_like(std::size_t{632'843} << 10, std::size_t{96} << 20), "618.0MiB");
  EXPECT_EQ(format_size_like((std::size_t{97} << 20) - 1, std::size_t{96} << 20), "96.9MiB");
  EXPECT_EQ(format_size_like(std::size_t{97} << 20, std::size_t{96} << 20), "97MiB");
  EXPECT_EQ(format_size_like(std::size_t{1536} << 20, std::size_t{1} << 30), "1.4GiB");  // rounded down
  EXPECT_EQ(format_size_like(5000, 1000), "5000");
}

}  // namespace
}  // namespace serval
