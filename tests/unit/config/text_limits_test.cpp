#include "config/text_limits.hpp"

#include <gmock/gmock.h>

#include "config/file.hpp"

namespace serval::config {
namespace {

using testing::HasSubstr;

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

std::string trouble(const std::string& text) {
  const auto found = find_trouble(text);
  return found ? std::to_string(found->line) + ":" + std::to_string(found->column) + " " + found->what : "";
}

TEST(TextLimits, OrdinaryTextsAreFine) {
  for (const std::string text :
       {"", "[app]\nlibrary = \"x.so\"\n", "a.b.c = 1.5\n", "x = [[1, 2], [3]] # caf\xc3\xa9 [[[[\n",
        "\xEF\xBB\xBF[app]\n", "x = \"caf\xc3\xa9 \\\" [[[\"\n", "x = '[[[\\'\ny = 1\n",
        "\"d\xc3\xa9j\xc3\xa0.vu\" = 1\n",
        "x = \"\"\"\nfive \"quotes\" \xc3\xa9 \\\"\"\"\"\"\ny = '''\n[[ \xc3\xa9 '\n'''\n"}) {
    EXPECT_EQ(trouble(text), "") << text;
  }
  EXPECT_EQ(trouble(repeated("[a.b]\nc = 1\n", 1000)), "");
  EXPECT_EQ(trouble("x = \"" + repeated("[.", 1000) + "\"\n"), "");
}

TEST(TextLimits, CharactersThatAreNotAscii) {
  EXPECT_THAT(trouble("[app]\nlibr\xc3\xa1ry = 1\n"), HasSubstr("2:5 a character that is not ASCII"));
  EXPECT_THAT(trouble("x = \xc2\xa0" "1\n"), HasSubstr("1:5 "));
  EXPECT_THAT(trouble("x = \"\"\"\n\"\"\"\n\n\xe2\x80\x83\n"), HasSubstr("4:1 "));
}

TEST(TextLimits, EndlessKeysAndLevels) {
  EXPECT_EQ(trouble("a" + repeated(".a", 63) + " = 1"), "");
  EXPECT_THAT(trouble("a" + repeated(".a", 64) + " = 1"), HasSubstr("a key of more than 64 parts"));
  EXPECT_THAT(trouble("[" + repeated("a.", 100'000) + "a]"), HasSubstr("a key of more than 64 parts"));
  EXPECT_THAT(trouble("x = { " + repeated("a . ", 100'000) + "a = 1 }"), HasSubstr("a key of more than 64 parts"));
  EXPECT_THAT(trouble(repeated("\"a\".", 100'000) + "a = 1"), HasSubstr("a key of more than 64 parts"));
  EXPECT_EQ(trouble("x = " + repeated("[\n", 64)), "");
  EXPECT_THAT(trouble("x = " + repeated("[\n", 100'000)), HasSubstr("65:1 brackets in more than 64 levels"));
  EXPECT_THAT(trouble("x = " + repeated("{a=", 100'000)), HasSubstr("brackets in more than 64 levels"));
}

/// Whatever it is, it is refused, and nobody dies of it.
TEST(TextLimits, TextsThatAreNoTomlAreRefused) {
  for (const std::string& text : std::vector<std::string>{
           "x = \"" + repeated("\\", 9), "x = '", "x = \"\"\"", repeated("[", 300), repeated("\"", 301),
           repeated("x = 1\ny.", 9), std::string("x = 1979-13-01\n"), std::string("x = 1979-01-01T25\n"),
           std::string("x = 12:61\n"), std::string("x = +-1\n"), std::string("x = 0x\n"), std::string("x = 1__2\n"),
           std::string("x = \x01\n"), std::string("\xff\xfe\n")}) {
    std::vector<Problem> problems;
    const auto values = read_text(text, "x", [](auto) { return std::nullopt; }, problems);
    EXPECT_FALSE(values && problems.empty()) << text;
  }
}

}  // namespace
}  // namespace serval::config
