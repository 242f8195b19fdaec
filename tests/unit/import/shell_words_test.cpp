#include "import/shell_words.hpp"

#include <gmock/gmock.h>

#include "import/program_text.hpp"

namespace serval::import {
namespace {

using testing::ElementsAre;

TEST(ShellWords, AsAShellPartsThem) {
  EXPECT_THAT(shell_words(R"(  a 'b c' "d \" e" f\ g "" )"), ElementsAre("a", "b c", "d \" e", "f g", ""));
  EXPECT_THAT(shell_words(""), testing::IsEmpty());
  EXPECT_THAT(shell_words("it's"), ElementsAre("its"));
}

TEST(ShellWords, TheShellStepsAsideForOneCommand) {
  for (const char* one : {"node server.js", "./run --port $PORT > log 2>&1", "echo 'a; b' \"c && d\"", "x &> log"})
    EXPECT_THAT(shell_command(one).command, ElementsAre("/bin/sh", "-c", std::string("exec ") + one)) << one;
  for (const char* more : {"a && b", "a; b", "a | b", "a & b", "A=1 b", "cd x", "(a)", "a $(b)", "if a", "'open"}) {
    const ShellCommand shell = shell_command(more);
    EXPECT_TRUE(shell.shell_stays) << more;
    EXPECT_EQ(shell.command.back(), more);
  }
}

TEST(ProgramText, WhatLooksLikeAVariableStaysWhatItIs) {
  EXPECT_EQ(toml_text("a ${B} $C \"d\"\n"), R"("a $${B} $C \"d\"\n")");
  EXPECT_EQ(toml_text("$${A}"), R"("$$${A}")");
  EXPECT_EQ(toml_table({{"A.B", "1"}, {"C", "2"}}), R"({ "A.B" = "1", C = "2" })");
  EXPECT_EQ(comment("a\nb\x1b"), "# a b\n");
}

TEST(ProgramText, NamesAreAllowedAndNoOtherHasThem) {
  ProgramNames names;
  EXPECT_EQ(names.take("web"), "web");
  EXPECT_EQ(names.take("web"), "web-2");
  EXPECT_EQ(names.take("@scope/my app"), "scope-my-app");
  EXPECT_EQ(names.take("app"), "the-app");
  EXPECT_EQ(names.take("7"), "program");
  EXPECT_EQ(names.take(std::string(200, 'x')).size(), 60u);
}

}  // namespace
}  // namespace serval::import
