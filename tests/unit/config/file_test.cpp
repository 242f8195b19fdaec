#include "config/file.hpp"

#include <cstdint>

#include <gmock/gmock.h>

#include "config/load.hpp"

namespace serval::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Read {
  std::optional<FileValues> values;
  std::vector<Problem> problems;
  std::string text() const { return format_problems(problems, "error"); }
};

Read read(std::string_view text) {
  Read result;
  result.values = read_text(text, "serval.toml", [](std::string_view) { return std::nullopt; }, result.problems);
  return result;
}

TEST(File, FindsOptionsWithTheirPlaces) {
  const auto result = read("[workers]\nthreads = 3\n[server]\nbind = [\"a\",\n  \"b\"]\n");
  EXPECT_EQ(result.text(), "");
  ASSERT_EQ(result.values->size(), 2u);
  const auto& bind = result.values->front();
  EXPECT_EQ(bind.option->path, "server.bind");
  ASSERT_EQ(bind.raw.items.size(), 2u);
  EXPECT_EQ(bind.raw.items[1].at.text(), "serval.toml:5:3");
  EXPECT_EQ(result.values->back().raw.at.text(), "serval.toml:2:11");
}

TEST(File, EmptyByteOrderMarkAndCarriageReturnsAreFine) {
  EXPECT_EQ(read("").text(), "");
  EXPECT_EQ(read("# nothing\n").text(), "");
  const auto result = read("\xEF\xBB\xBF[workers]\r\nthreads = 3\r\n");
  EXPECT_EQ(result.text(), "");
  ASSERT_EQ(result.values->size(), 1u);
  EXPECT_EQ(result.values->front().raw.at.text(), "serval.toml:2:11");
}

TEST(File, SyntaxErrorsHaveAPlace) {
  const std::pair<const char*, const char*> table[] = {
      {"[workers]\nthreads = \n", "serval.toml:2:"},
      {"[workers\n", "serval.toml:1:"},
      {"[workers]\nthreads = 1\nthreads = 2\n", "serval.toml:3:"},
      {"[server]\nname = \"shop\n", "serval.toml:2:"},
      {"[server]\nname = \"\xff\"\n", "serval.toml:2:"},
      {"[server]\numask = 0022\n", "serval.toml:2:"},
  };
  for (const auto& [text, place] : table) {
    const auto result = read(text);
    EXPECT_FALSE(result.values.has_value()) << text;
    ASSERT_EQ(result.problems.size(), 1u) << text;
    EXPECT_THAT(result.text(), StartsWith(place)) << text;
    EXPECT_THAT(result.text(), HasSubstr("not valid TOML")) << text;
  }
}

TEST(File, CharactersBeyondAsciiRightAfterAValueAreRefusedLikeAllOthers) {
  // In quotes find_trouble() lets them pass; toml++ looks at them as what may end the number or date.
  for (const char* text : {"x = 1'\xc3\xa9'\n", "x = 1\"\xc3\xa9\"\n", "x = +'\xe2\x82\xac'",
                           "x = 1'\xf0\x9f\x98\x80'\n", "d = 1979-05-27T07:32:00+0'\xc3\xa9'\n"}) {
    const auto result = read(text);
    EXPECT_FALSE(result.values.has_value()) << text;
    ASSERT_EQ(result.problems.size(), 1u) << text;
    EXPECT_THAT(result.text(), HasSubstr("not valid TOML")) << text;
  }
}

TEST(File, GarbageIsRefusedInFewWords) {
  std::string noise;
  std::uint32_t state = 1;
  while (noise.size() < 1'000'000) noise += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  std::string dots, brackets(1'000'000, '['), list = "[app]\nargs = " + brackets;
  while (dots.size() < 1'000'000) dots += "a.";
  for (const auto& text :
       {noise, dots + "a = 1", brackets, list, std::string(1'000'000, '\0'), std::string(1'000'000, 'x')}) {
    const auto result = read(text);
    EXPECT_FALSE(result.values.has_value());
    ASSERT_EQ(result.problems.size(), 1u);
    EXPECT_LT(result.text().size(), 600u);
  }
}

TEST(File, UnknownKeysNameTheNearestOne) {
  const std::pair<const char*, const char*> table[] = {
      {"[workers]\nthread = 1\n",
       "serval.toml:2:1: error: unknown key workers.thread\n  hint: did you mean workers.threads?\n"},
      {"[worker]\nthreads = 1\n", "serval.toml:1:2: error: unknown table [worker]\n  hint: did you mean [workers]?\n"},
      {"[server]\nkeep_alive = 1\n",
       "serval.toml:2:1: error: unknown key server.keep_alive\n  hint: did you mean request.keep_alive?\n"},
      {"[server]\n\"a b\\n\" = 1\n", "serval.toml:2:1: error: unknown key server.\"a b\\n\"\n"},
      {"zebra = 1\n", "serval.toml:1:1: error: unknown key zebra\n"},
      {"threads = 1\n", "serval.toml:1:1: error: unknown key threads\n  hint: did you mean workers.threads?\n"},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(read(text).text(), expected);
}

TEST(File, ReservedNamesSaySo) {
  const std::pair<const char*, const char*> table[] = {
      {"[tls]\nkey = \"x\"\n", "serval.toml:1:2: error: table [tls] is known, but this version does not serve it yet\n"},
      {"[static]\n", "serval.toml:1:2: error: table [static] is known, but this version does not serve it yet\n"},
  };
  for (const auto& [text, expected] : table) {
    EXPECT_THAT(read(text).text(), StartsWith(expected));
    EXPECT_THAT(*read(text).values, IsEmpty());
  }
}

TEST(File, AValueInThePlaceOfATableIsRefused) {
  EXPECT_THAT(read("app = 5\n").text(), StartsWith("serval.toml:1:1: error: app is a table\n"));
  EXPECT_THAT(read("[[app]]\nlibrary = \"x\"\n").text(), HasSubstr("error: app is a table\n"));
}

}  // namespace
}  // namespace serval::config
