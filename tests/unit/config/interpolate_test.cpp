#include "config/interpolate.hpp"

#include <gmock/gmock.h>

namespace serval::config {
namespace {

using testing::HasSubstr;

std::optional<std::string> lookup(std::string_view name) {
  if (name == "HOST") return "db.internal";
  if (name == "EMPTY") return "";
  if (name == "TRICK") return "${HOST}";
  return std::nullopt;
}

TEST(Interpolate, ReplacesAsAShellDoes) {
  const std::pair<const char*, const char*> table[] = {
      {"", ""},
      {"plain $HOST", "plain $HOST"},
      {"${HOST}", "db.internal"},
      {"a${HOST}b${HOST}", "adb.internalbdb.internal"},
      {"${HOST:-x}", "db.internal"},
      {"${NONE:-x}", "x"},
      {"${NONE:-}", ""},
      {"${NONE:-a:-b}", "a:-b"},
      {"${EMPTY}", ""},
      {"${EMPTY:-x}", "x"},
      {"$${HOST}", "${HOST}"},
      {"$$${HOST}", "$${HOST}"},
      {"$$", "$$"},
      {"${TRICK}", "${HOST}"},
  };
  for (const auto& [text, expected] : table) {
    const auto result = interpolate(text, lookup);
    ASSERT_TRUE(result.has_value()) << text << ": " << result.error();
    EXPECT_EQ(*result, expected) << text;
  }
}

TEST(Interpolate, NamesWhatIsNotSet) {
  EXPECT_THAT(interpolate("x${NONE}", lookup).error(), HasSubstr("NONE is not set"));
}

TEST(Interpolate, RefusesWhatIsNoVariable) {
  for (const auto* text : {"${", "${HOST", "${}", "${1A}", "${A B}", "${HOST-x}", "${:-x}"}) {
    EXPECT_FALSE(interpolate(text, lookup).has_value()) << text;
  }
}

TEST(Interpolate, ADefaultWithoutItsDashIsHintedAt) {
  for (const auto* text : {"${HOST:x}", "${HOST-x}", "${HOST:=x}"}) {
    EXPECT_THAT(interpolate(text, lookup).error(), HasSubstr("a default is written ${HOST:-default}")) << text;
  }
}

TEST(Interpolate, ErrorsQuoteNothingOfASecret) {
  for (const auto* text :
       {"${HOST:geheim}", "${geheim geheim}", "${1geheim}", "${NONE}geheim", "${geheim-13}", "${geheim:13}"}) {
    EXPECT_THAT(interpolate(text, lookup, true).error(), testing::Not(HasSubstr("geheim"))) << text;
  }
}

}  // namespace
}  // namespace serval::config
