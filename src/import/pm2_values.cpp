#include "import/pm2_values.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <charconv>
#include <system_error>

#include "import/shell_words.hpp"

namespace serval::import {

namespace json = boost::json;

std::string as_text(const json::value& value) {
  if (value.is_string()) return {value.get_string().data(), value.get_string().size()};
  return json::serialize(value);
}

std::optional<std::int64_t> as_number(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && value.get_uint64() <= INT32_MAX) return static_cast<std::int64_t>(value.get_uint64());
  if (value.is_double() && value.get_double() >= INT32_MIN && value.get_double() <= INT32_MAX)
    return static_cast<std::int64_t>(value.get_double());
  if (!value.is_string()) return std::nullopt;
  const std::string text = as_text(value);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_true(const json::value* value) {
  if (value == nullptr) return false;
  if (value->is_bool()) return value->get_bool();
  return as_text(*value) == "true" || as_number(*value).value_or(0) == 1;
}

std::vector<std::string> words_of(const json::value& value) {
  if (const auto* list = value.if_array()) {
    std::vector<std::string> words;
    for (const json::value& item : *list) words.push_back(as_text(item));
    return words;
  }
  return shell_words(as_text(value));
}

std::optional<std::string> pm2_size(const json::value& value) {
  if (const auto bytes = as_number(value)) {
    return *bytes > 0 ? std::optional(std::to_string(*bytes)) : std::nullopt;
  }
  std::string text = as_text(value);
  if (text.ends_with('B') || text.ends_with('b')) text.pop_back();
  if (text.size() < 2) return std::nullopt;
  const char unit = static_cast<char>(std::toupper(static_cast<unsigned char>(text.back())));
  text.pop_back();
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() > 6 || (unit != 'K' && unit != 'M' && unit != 'G')) return std::nullopt;
  return text + unit + "iB";
}

std::optional<std::string> pm2_duration(const json::value& value) {
  if (const auto ms = as_number(value)) {
    return *ms >= 0 ? std::optional(std::to_string(*ms) + "ms") : std::nullopt;
  }
  const std::string text = as_text(value);
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos || digits > 9) return std::nullopt;
  const std::string unit = text.substr(digits);
  return unit == "s" || unit == "m" || unit == "h" ? std::optional(text) : std::nullopt;
}

std::vector<std::string> exit_codes_in(const json::value& value) {
  std::vector<std::string> codes;
  const auto add = [&codes](const json::value& one) {
    const auto number = as_number(one);
    if (number && *number >= 0 && *number <= 255) codes.push_back(std::to_string(*number));
  };
  if (const auto* list = value.if_array()) {
    for (const json::value& item : *list) add(item);
  } else {
    add(value);
  }
  return codes;
}

}  // namespace serval::import
