#include "import/program_text.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/program_values.hpp"

namespace serval::import {
namespace {

constexpr std::size_t kColumns = 98;
constexpr std::size_t kMaxName = 60;  ///< room for a number behind it

bool is_bare(std::string_view key) {
  return !key.empty() && key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
                             std::string_view::npos;
}

}  // namespace

std::string toml_text(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) escaped += '$';
    escaped += text[i];
  }
  return quoted(escaped);
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const std::string& text : texts) items.push_back(toml_text(text));
  return "[" + join(items, ", ") + "]";
}

std::string toml_table(const std::map<std::string, std::string>& entries) {
  std::vector<std::string> items;
  for (const auto& [name, value] : entries)
    items.push_back((is_bare(name) ? name : quoted(name)) + " = " + toml_text(value));
  return "{ " + join(items, ", ") + " }";
}

/// No byte of another file gets out of the comment.
std::string comment(std::string_view text) {
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  const std::string lines = wrapped(clean, kColumns);
  std::string out;
  for (const std::string_view line : split(lines, '\n')) out += "# " + std::string(line) + "\n";
  return out;
}

std::string ProgramText::text() const {
  std::string text = "[programs." + name_ + "]\n";
  for (const auto& [key, value] : keys_) text += key + " = " + value + "\n";
  for (const std::string& note : notes_) text += comment(note);
  return text;
}

std::string ProgramNames::take(std::string_view wanted) {
  std::string name;
  for (const char c : wanted.substr(0, kMaxName)) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    name += allowed ? c : '-';
  }
  name.erase(0, name.find_first_not_of("-_0123456789"));
  if (name.empty()) name = "program";
  if (!config::check_program_name(name)) name = "the-" + name;  // "app", "worker": words that mean something else
  std::string free = name;
  for (int i = 2; !taken_.insert(free).second; ++i) free = name + "-" + std::to_string(i);
  return free;
}

}  // namespace serval::import
