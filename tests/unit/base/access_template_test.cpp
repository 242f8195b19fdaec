#include "base/access_template.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <string>

#include "base/access_atoms.hpp"

namespace serval {
namespace {

using Kind = AccessTemplate::Kind;

TEST(AccessTemplate, WordsNameFormats) {
  EXPECT_EQ(AccessTemplate::parse("combined")->kind, Kind::combined);
  EXPECT_EQ(AccessTemplate::parse("common")->kind, Kind::common);
  EXPECT_EQ(AccessTemplate::parse("json")->kind, Kind::json);
}

TEST(AccessTemplate, TemplatesAreLiteralsAndAtoms) {
  const auto format = AccessTemplate::parse("$peer ${method}x $$5 $status$pid!");
  ASSERT_TRUE(format);
  EXPECT_EQ(format->kind, Kind::pieces);
  std::string text;
  for (const AccessTemplate::Piece& piece : format->pieces) {
    text += piece.literal;
    if (piece.atom < std::size(kAccessAtoms)) text += "<" + std::string(kAccessAtoms[piece.atom].name) + ">";
  }
  EXPECT_EQ(text, "<peer> <method>x $5 <status><pid>!");
}

TEST(AccessTemplate, WhatCannotBeMeantIsExplained) {
  const struct {
    std::string_view text, said;
  } kTable[] = {
      {"", "expected combined, common, json"},
      {"combind", "did you mean \"combined\"?"},
      {"common2", "did you mean \"common\"?"},
      {"JSON", "did you mean \"json\"?"},
      {"%h %l %u %t", "a template with words such as $status"},
      {"$$", "a template with words such as $status"},
      {"$metod", "there is no $metod to write; did you mean $method?"},
      {"$peer $xyzzyxyzzy", "$queue_wait_us"},
      {"$peer $", "write $$ for a dollar sign"},
      {"$peer ${", "\"${\" has no '}'"},
      {"$peer ${status", "\"${status\" has no '}'"},
      {"${}", "a \"${}\" without a word in it"},
      {"$Peer", "write $$ for a dollar sign"},
      {"$peer\n$status", "a control byte"},
      {"$peer\t", "a control byte"},
      {std::string_view("$peer\0", 6), "a control byte"},
      {"$peer\x7f", "a control byte"},
  };
  for (const auto& [text, said] : kTable) {
    const auto format = AccessTemplate::parse(text);
    ASSERT_FALSE(format) << text;
    EXPECT_NE(format.error().find(said), std::string::npos) << text << ": " << format.error();
  }
}

}  // namespace
}  // namespace serval
