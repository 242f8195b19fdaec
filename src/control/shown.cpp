#include "control/shown.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "base/log_text.hpp"

namespace serval::control {
namespace {

namespace json = boost::json;

constexpr std::int64_t kSecond = 1000;

const json::value* find(const json::object& object, std::string_view key) {
  return object.if_contains(json::string_view(key.data(), key.size()));
}

std::string shown(const json::string& value) {
  std::string text;
  log::append_text(text, std::string_view(value.data(), value.size()), false);
  return text;
}

}  // namespace

std::optional<std::int64_t> number_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_uint64()) return static_cast<std::int64_t>(std::min<std::uint64_t>(value->get_uint64(), INT64_MAX));
  return value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

std::uint64_t count_at(const json::object& object, std::string_view key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number_at(object, key).value_or(0), 0));
}

std::optional<double> decimal_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_number() ? std::optional(value->to_number<double>()) : std::nullopt;
}

std::int64_t sum_in(const json::object& object, std::string_view key) {
  const json::object* numbers = object_in(object, key);
  if (numbers == nullptr) return 0;
  std::int64_t sum = 0;
  for (const auto& entry : *numbers)
    sum += number_at(*numbers, std::string_view(entry.key().data(), entry.key().size())).value_or(0);
  return sum;
}

std::optional<std::string> maybe_text_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) return std::nullopt;
  return shown(value->get_string());
}

std::string text_at(const json::object& object, std::string_view key) {
  return maybe_text_at(object, key).value_or(std::string(kUnknown));
}

bool flag_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::object* object_in(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

std::vector<const json::object*> objects_in(const json::object& object, std::string_view key) {
  std::vector<const json::object*> found;
  const json::value* value = find(object, key);
  if (value == nullptr || !value->is_array()) return found;
  for (const json::value& item : value->get_array()) {
    if (item.is_object()) found.push_back(&item.get_object());
  }
  return found;
}

std::string number(const json::object& object, std::string_view key) {
  const auto value = number_at(object, key);
  return value ? std::to_string(*value) : std::string(kUnknown);
}

std::string time_in(const json::object& object, std::string_view key, std::int64_t unit_ms) {
  const auto value = number_at(object, key);
  if (value == 0 && unit_ms == kSecond) return "<1s";  // it was cut off, not measured to the millisecond
  return value ? show_time(std::clamp<std::int64_t>(*value, 0, INT64_MAX / unit_ms) * unit_ms) : std::string(kUnknown);
}

std::string size_in(const json::object& object, std::string_view key) {
  const auto bytes = number_at(object, key);
  return bytes ? show_size(static_cast<std::uint64_t>(std::max<std::int64_t>(*bytes, 0))) : std::string(kUnknown);
}

std::vector<std::string> texts_in(const json::object& object, std::string_view key) {
  std::vector<std::string> found;
  const json::value* value = find(object, key);
  if (value == nullptr || !value->is_array()) return found;
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) found.push_back(shown(item.get_string()));
  }
  return found;
}

std::string fill_in(std::string_view sentence, const json::object& values) {
  std::string text;
  for (;;) {
    const auto begin = sentence.find('{');
    const auto end = sentence.find('}', begin);
    text += sentence.substr(0, begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return text;
    const std::string_view key = sentence.substr(begin + 1, end - begin - 1);
    text += number_at(values, key) ? number(values, key) : text_at(values, key);
    sentence.remove_prefix(end + 1);
  }
}

std::string show_time(std::int64_t milliseconds) {
  constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
  const auto two = [&](std::int64_t large, const char* large_name, std::int64_t small, const char* small_name) {
    return std::to_string(milliseconds / large) + large_name + " " + std::to_string(milliseconds % large / small) +
           small_name;
  };
  if (milliseconds < kSecond) return std::to_string(milliseconds) + "ms";
  if (milliseconds < 10 * kSecond && milliseconds % kSecond >= 100) {
    return std::to_string(milliseconds / kSecond) + "." + std::to_string(milliseconds % kSecond / 100) + "s";
  }
  if (milliseconds < kMinute) return std::to_string(milliseconds / kSecond) + "s";
  if (milliseconds < kHour) return two(kMinute, "m", kSecond, "s");
  if (milliseconds < kDay) return two(kHour, "h", kMinute, "m");
  return two(kDay, "d", kHour, "h");
}

std::string show_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + "B";
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[48];
  std::snprintf(text, sizeof text, "%.1f%s", value, kUnits[unit]);
  return text;
}

}  // namespace serval::control
