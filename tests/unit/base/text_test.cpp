#include "base/text.hpp"

#include <gmock/gmock.h>

namespace serval {
namespace {

using testing::ElementsAre;

TEST(Text, TrimTakesBlanksFromBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
}

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split("a,", ','), ElementsAre("a", ""));
}

TEST(Text, JoinPutsSeparatorsBetween) {
  const std::vector<std::string> pieces = {"a", "b", "c"};
  EXPECT_EQ(join(pieces, ", "), "a, b, c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, EditDistanceCountsSwapsOnce) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("theards", "threads"), 2u);
  EXPECT_EQ(edit_distance("bnid", "bind"), 1u);
  EXPECT_EQ(edit_distance("same", "same"), 0u);
}

TEST(Text, NearestFindsTheSlipAndNothingFarther) {
  const std::vector<std::string_view> keys = {"threads", "count", "queue", "queue_timeout"};
  EXPECT_EQ(nearest("thread", keys), "threads");
  EXPECT_EQ(nearest("queu_timeot", keys), "queue_timeout");
  EXPECT_EQ(nearest("warn", std::vector<std::string_view>{"error", "warning"}), "warning");
  EXPECT_EQ(nearest("zebra", keys), std::nullopt);
  EXPECT_EQ(nearest("x", keys), std::nullopt);
  EXPECT_EQ(nearest("a", std::vector<std::string_view>{"b"}), std::nullopt);
}

TEST(Text, QuotedStaysOneLine) {
  EXPECT_EQ(quoted("plain"), "\"plain\"");
  EXPECT_EQ(quoted("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
  EXPECT_EQ(quoted(std::string_view("\x00\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(quoted("ü"), "\"ü\"");
}

TEST(Text, ShortenedCutsBetweenCharacters) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("abüdefg", 6), "ab...");
}

}  // namespace
}  // namespace serval
