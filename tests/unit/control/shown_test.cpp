#include "control/shown.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <utility>

namespace serval::control {
namespace {

TEST(Shown, TimesHaveTwoUnits) {
  const std::pair<std::int64_t, const char*> table[] = {
      {0, "0ms"},           {999, "999ms"},       {1000, "1s"},          {1040, "1s"},          {1240, "1.2s"},
      {9999, "9.9s"},       {10'500, "10s"},      {59'999, "59s"},       {60'000, "1m 0s"},     {125'000, "2m 5s"},
      {3'600'000, "1h 0m"}, {7'500'000, "2h 5m"}, {86'400'000, "1d 0h"}, {273'600'000, "3d 4h"}};
  for (const auto& [milliseconds, text] : table) EXPECT_EQ(show_time(milliseconds), text);
}

TEST(Shown, SizesHaveOneDigitBehindThePoint) {
  const std::pair<std::uint64_t, const char*> table[] = {{0, "0B"},
                                                         {1023, "1023B"},
                                                         {1024, "1.0KiB"},
                                                         {1'048'575, "1.0MiB"},
                                                         {14'889'779, "14.2MiB"},
                                                         {1ULL << 40, "1.0TiB"},
                                                         {1ULL << 52, "4096.0TiB"}};
  for (const auto& [bytes, text] : table) EXPECT_EQ(show_size(bytes), text);
}

TEST(Shown, SentencesAreFilledIn) {
  const boost::json::object values = {{"pid", 7}, {"version", "1.2"}, {"odd", "a\nb"}, {"list", {1, 2}}};
  const std::pair<const char*, const char*> table[] = {
      {"", ""},
      {"nothing to fill in", "nothing to fill in"},
      {"{pid}", "7"},
      {"pid {pid} is serval {version} now", "pid 7 is serval 1.2 now"},
      {"{none} of it", "- of it"},
      {"{list}", "-"},
      {"{odd}", "a\\nb"},
      {"open {pid", "open "},
      {"closed} {pid}", "closed} 7"},
  };
  for (const auto& [sentence, text] : table) EXPECT_EQ(fill_in(sentence, values), text) << sentence;
}

TEST(Shown, FiguresOfAnotherServalAreNoneWhereTheyAreOfAnotherKind) {
  const boost::json::object object =
      boost::json::parse(
          R"({"n": 3, "less": -3, "half": 0.5, "text": "x", "sizes": 2048, "parts": {"a": 1, "b": 2, "c": "x", "d": 0.5}})")
          .as_object();
  EXPECT_EQ(count_at(object, "n"), 3u);
  EXPECT_EQ(count_at(object, "less"), 0u);
  EXPECT_EQ(count_at(object, "nothing"), 0u);
  EXPECT_EQ(decimal_at(object, "half"), 0.5);
  EXPECT_EQ(decimal_at(object, "n"), 3.0);
  EXPECT_EQ(decimal_at(object, "text"), std::nullopt);
  EXPECT_EQ(decimal_at(object, "nothing"), std::nullopt);
  EXPECT_EQ(sum_in(object, "parts"), 3);
  EXPECT_EQ(sum_in(object, "text"), 0);
  EXPECT_EQ(size_in(object, "sizes"), "2.0KiB");
  EXPECT_EQ(size_in(object, "less"), "0B");
  EXPECT_EQ(size_in(object, "nothing"), kUnknown);
}

}  // namespace
}  // namespace serval::control
