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

TEST(Text, WhatIsACharacter) {
  const std::pair<std::string_view, std::size_t> rows[] = {{"a", 1},
                                                           {"\x7f", 1},
                                                           {"\xc3\xbc", 2},
                                                           {"\xe2\x82\xac!", 3},
                                                           {"\xf0\x9f\x98\x80", 4},
                                                           {"\xc3", 0},
                                                           {"\x80", 0},
                                                           {"\xc1\x81", 0},
                                                           {"\xe0\x80\x80", 0},
                                                           {"\xed\xa0\x80", 0},
                                                           {"\xe2\x82", 0},
                                                           {"\xf0\x80\x80\x80", 0},
                                                           {"\xf4\x90\x80\x80", 0},
                                                           {"\xf5\x80\x80\x80", 0}};
  for (const auto& [text, length] : rows) EXPECT_EQ(utf8_length(text), length) << quoted(text);
}

TEST(Text, WholeCharactersAloneFit) {
  EXPECT_EQ(whole_characters("ab\xc3\xbc", 4), "ab\xc3\xbc");
  EXPECT_EQ(whole_characters("ab\xc3\xbc", 3), "ab");
  EXPECT_EQ(whole_characters("\x80\x80", 1), "");
  EXPECT_EQ(whole_characters("", 0), "");
}

TEST(Text, ShortenedCutsBetweenCharacters) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("abüdefg", 6), "ab...");
}

TEST(Text, PercentDecodedLeavesWhatIsNoEscape) {
  EXPECT_EQ(percent_decoded("a%20b%2Fc%2f"), "a b/c/");
  EXPECT_EQ(percent_decoded("100%"), "100%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz%4g%-1%+1% 1%0x"), "%zz%4g%-1%+1% 1%0x");
  EXPECT_EQ(percent_decoded("%00"), std::string_view("\0", 1));
  EXPECT_EQ(percent_decoded("%2541"), "%41");
}

TEST(Text, HexIsTwoDigitsForEachByte) {
  EXPECT_EQ(hex(""), "");
  EXPECT_EQ(hex(std::string_view("\x00\x0f\xf0\xff", 4)), "000ff0ff");
}

}  // namespace
}  // namespace serval
