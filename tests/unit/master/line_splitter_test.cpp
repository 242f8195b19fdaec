#include "master/line_splitter.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace serval::master {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct LineSplitterTest : testing::Test {
  std::vector<std::string> feed(std::string_view bytes) {
    lines.clear();
    splitter.feed(bytes, sink);
    return lines;
  }

  LineSplitter splitter;
  std::vector<std::string> lines;
  LineSplitter::Sink sink = [this](std::string_view line) { lines.emplace_back(line); };
};

TEST_F(LineSplitterTest, GivesWholeLines) {
  EXPECT_THAT(feed("one\ntwo\r\n\nthr"), ElementsAre("one", "two", ""));
  EXPECT_THAT(feed("ee"), IsEmpty());
  EXPECT_THAT(feed("\n"), ElementsAre("three"));
}

TEST_F(LineSplitterTest, TheEndEndsTheLastLine) {
  feed("last");
  splitter.end(sink);
  splitter.end(sink);
  EXPECT_THAT(lines, ElementsAre("last"));
}

TEST_F(LineSplitterTest, CutsLongLinesIntoPieces) {
  const std::string longest(LineSplitter::kMaxLineBytes, 'x');
  EXPECT_THAT(feed(longest + longest + "y\n"), ElementsAre(longest, longest, "y"));
  EXPECT_THAT(feed(longest + "\nz\n"), ElementsAre(longest, "z"))
      << "a line that just fits is not followed by an empty one";
}

TEST_F(LineSplitterTest, SplitsAlikeHoweverTheBytesArrive) {
  const std::string text = "a\nbb\r\n\n" + std::string(LineSplitter::kMaxLineBytes, 'c') + "\nddd\n";
  const std::vector<std::string> whole = feed(text);
  std::vector<std::string> pieces;
  for (const char byte : text) {
    for (std::string& line : feed({&byte, 1})) pieces.push_back(std::move(line));
  }
  EXPECT_TRUE(pieces == whole) << "the lines differ";
}

}  // namespace
}  // namespace serval::master
