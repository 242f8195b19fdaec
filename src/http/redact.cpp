#include "http/redact.hpp"

#include <algorithm>

#include "http/ascii.hpp"
#include "http/query.hpp"

namespace serval::http {
namespace {

constexpr std::string_view kInstead = "[redacted]";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), ascii::lower);
  return result;
}

/// Where a parameter may begin: some servers take ';' for '&'.
bool separates(char c) { return c == '?' || c == '&' || c == ';'; }

/// Of a first line, the version is no part of the last value.
std::size_t end_of_value(std::string_view text, std::size_t from) {
  return std::min({text.find('&', from), text.find(" HTTP/", from), text.size()});
}

}  // namespace

Redactor::Redactor(const std::vector<std::string>& names) {
  for (const std::string& name : names) names_.push_back(lower(name));
}

bool Redactor::is_secret(std::string_view encoded_name) const {
  return std::ranges::find(names_, lower(decode_form(encoded_name))) != names_.end();
}

std::string_view Redactor::without_values(std::string_view text, std::string& memory) const {
  std::size_t copied = 0;  // so much of the text is in memory
  memory.clear();
  for (std::size_t at = text.find('?'); at < text.size(); ++at) {
    if (!separates(text[at])) continue;
    const std::size_t equals = text.find_first_of("=?&;", at + 1);
    if (equals == text.npos) break;
    if (text[equals] != '=' || !is_secret(text.substr(at + 1, equals - at - 1))) continue;
    memory.append(text.substr(copied, equals + 1 - copied)).append(kInstead);
    copied = end_of_value(text, equals + 1);
    at = copied - 1;
  }
  if (copied == 0) return text;
  return memory.append(text.substr(copied));
}

}  // namespace serval::http
