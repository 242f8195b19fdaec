#include "config/env_file.hpp"

#include <gmock/gmock.h>

namespace serval::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

struct Value {
  const char* text;  ///< behind "NAME="
  const char* value;
};

TEST(EnvFile, Values) {
  const Value table[] = {
      {"plain", "plain"},
      {"", ""},
      {"   around   ", "around"},
      {"two words", "two words"},
      {"a=b=c", "a=b=c"},
      {"value # a comment", "value"},
      {"value\t# a comment", "value"},
      {"value#no comment", "value#no comment"},
      {"#no comment", "#no comment"},
      {" # a comment", ""},
      {"it's \"as\" it is", "it's \"as\" it is"},
      {R"(C:\new\table)", R"(C:\new\table)"},
      {"$HOME ${HOME} $(id) `id`", "$HOME ${HOME} $(id) `id`"},
      {"''", ""},
      {"\"\"", ""},
      {R"('as $it \n "is"')", R"(as $it \n "is")"},
      {"'  blanks  ' # a comment", "  blanks  "},
      {R"("a\nb\tc\rd\"e\\f\$g")", "a\nb\tc\rd\"e\\f$g"},
      {R"("\w stays, and so does \')", nullptr},
      {R"("\w stays")", R"(\w stays)"},
      {"\"a # b\" # c", "a # b"},
      {"\"line 1\nline 2\n\"", "line 1\nline 2\n"},
      {"'line 1\r\nline 2'", "line 1\nline 2"},
      {"\xC3\xA4\xFF", "\xC3\xA4\xFF"},
  };
  for (const Value& row : table) {
    const EnvFile file = parse_env_file("BEFORE=1\nNAME=" + std::string(row.text) + "\nBEHIND=2\n");
    if (row.value == nullptr) {
      EXPECT_THAT(file.problems, testing::SizeIs(1)) << row.text;
      continue;
    }
    EXPECT_THAT(file.problems, IsEmpty()) << row.text;
    EXPECT_THAT(file.variables, ElementsAre(Pair("BEFORE", "1"), Pair("BEHIND", "2"), Pair("NAME", row.value)))
        << row.text;
  }
}

TEST(EnvFile, Lines) {
  const EnvFile file = parse_env_file(
      "\xEF\xBB\xBF# comment\r\n\r\n  export A=1\r\nexport\tB = 2\r\n   # C=3\nexport=word\na.b-c=4\nA=5\nLAST=6");
  EXPECT_THAT(file.problems, IsEmpty());
  EXPECT_THAT(file.variables, ElementsAre(Pair("A", "5"), Pair("B", "2"), Pair("LAST", "6"), Pair("a.b-c", "4"),
                                          Pair("export", "word")));
  EXPECT_THAT(parse_env_file("").variables, IsEmpty());
}

TEST(EnvFile, WhatIsWrongIsSaidWithItsLineAndWithoutItsText) {
  const struct {
    const char* text;
    int line;
    const char* what;
  } table[] = {
      {"A=1\ngeheim\n", 2, "expected NAME=VALUE"},
      {"A='1\n2'\ngeheim\n", 3, "expected NAME=VALUE"},
      {"=geheim", 1, "no name of a variable"},
      {"1A=geheim", 1, "no name of a variable"},
      {"ge heim=x", 1, "no name of a variable"},
      {"\n\nA=\"geheim\nB=2\n", 3, "has no end"},
      {"A='geheim", 1, "has no end"},
      {"A='geheim\n' geheim", 2, "behind the closing quote"},
  };
  for (const auto& row : table) {
    const EnvFile file = parse_env_file(row.text);
    ASSERT_THAT(file.problems, testing::SizeIs(1)) << row.text;
    EXPECT_EQ(file.problems[0].line, row.line) << row.text;
    EXPECT_THAT(file.problems[0].what, testing::HasSubstr(row.what));
    EXPECT_THAT(file.problems[0].what + file.problems[0].hint, testing::Not(testing::HasSubstr("geheim")));
  }
  EXPECT_THAT(parse_env_file(std::string("A=x\0y\n", 6)).problems, testing::SizeIs(1));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "x\n";
  EXPECT_THAT(parse_env_file(many).problems, testing::SizeIs(kMaxEnvFileProblems));
}

TEST(EnvFile, NamesWhatOtherToolsWouldReplace) {
  const EnvFile file = parse_env_file("A=${B}\nB='${A}'\nC=\"x${A}\"\nD=$2a$10\nA=plain\nE=${\n");
  EXPECT_THAT(file.with_references, ElementsAre("C"));
}

}  // namespace
}  // namespace serval::config
