#include "control/changes_text.hpp"

#include <string_view>

#include "control/shown.hpp"

namespace serval::control {
namespace {

namespace json = boost::json;

/// As many digits as tell builds apart for people.
constexpr std::size_t kBuildDigits = 12;

std::string shown_build(const json::object& answer, std::string_view key) {
  const std::string build = text_at(answer, key);
  return build == kUnknown ? "without an id" : build.substr(0, kBuildDigits);
}

}  // namespace

std::string format_changes(const json::object& answer) {
  std::string lines;
  const auto add = [&lines](const std::string& what, const std::string& after, const std::string& before) {
    lines += what + ": " + after + " instead of " + before + '\n';
  };
  if (text_at(answer, "build") != text_at(answer, "build_before")) {
    add("app.library", "build " + shown_build(answer, "build"), shown_build(answer, "build_before"));
  }
  if (const std::string file = text_at(answer, "config_file"), before = text_at(answer, "config_file_before");
      file != before) {
    add("configuration", file, before);
  }
  for (const json::object* change : objects_in(answer, "changes")) {
    if (const std::string how = text_at(*change, "how"); how != kUnknown) {
      lines += text_at(*change, "key") + ": " + how + '\n';
    } else {
      add(text_at(*change, "key"), text_at(*change, "to"), text_at(*change, "from"));
    }
  }
  return lines;
}

}  // namespace serval::control
