#include "config/cron.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace serval::config {
namespace {

struct Field {
  std::string_view name;
  int min;
  int max;
  std::span<const std::string_view> words;  ///< for the numbers from `min` on
};

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, {}},
                                           {"hour", 0, 23, {}},
                                           {"day of the month", 1, 31, {}},
                                           {"month", 1, 12, kMonths},
                                           {"day of the week", 0, 7, kWeekdays}}};

struct Nickname {
  std::string_view name;
  std::string_view means;
};
constexpr Nickname kNicknames[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                                   {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                                   {"@hourly", "0 * * * *"}};

Error wrong(const Field& field) {
  return Error{"its " + std::string(field.name) + " is not right: expected " + std::to_string(field.min) + " to " +
               std::to_string(field.max) + (field.words.empty() ? "" : ", names") +
               ", *, lists 1,2, ranges 1-5 or steps */5"};
}

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || text.front() == '-' || error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::optional<int> parse_value(std::string_view text, const Field& field) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  if (const auto word = std::find(field.words.begin(), field.words.end(), lower); word != field.words.end())
    return field.min + static_cast<int>(word - field.words.begin());
  const auto number = parse_number(text);
  return number && *number >= field.min && *number <= field.max ? number : std::nullopt;
}

/// "*", "3", "1-5", and each of them with "/2"; a step of one number goes on to the end, as in cronie.
bool add_element(std::string_view text, const Field& field, std::vector<int>& values) {
  int step = 1;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto parsed = parse_number(text.substr(slash + 1));
    if (!parsed || *parsed < 1 || *parsed > field.max) return false;
    step = *parsed;
    text = text.substr(0, slash);
  }
  int first = field.min;
  int last = field.max;
  if (text != "*") {
    const auto dash = text.find('-');
    const auto from = parse_value(text.substr(0, dash), field);
    if (!from) return false;
    first = *from;
    if (dash != std::string_view::npos) {
      const auto to = parse_value(text.substr(dash + 1), field);
      if (!to) return false;
      last = *to == 0 && first > 0 && field.max == 7 ? 7 : *to;  // fri-sun
    } else if (slash == std::string_view::npos) {
      last = first;
    }
    if (last < first) return false;
  } else if (field.max == 7) {
    last = 6;  // Sunday once
  }
  for (int value = first; value <= last; value += step) values.push_back(value);
  return true;
}

std::optional<std::vector<int>> parse_field(std::string_view text, const Field& field) {
  std::vector<int> values;
  for (const std::string_view element : split(text, ',')) {
    if (!add_element(element, field, values)) return {};
  }
  return values;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = text.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) break;
    const auto end = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    at = end;
  }
  return words;
}

/// Of the days of the month only those at the end may be missing from each of the months.
bool ever_comes(const Cron& cron) {
  if (cron.any_day || !cron.any_weekday) return true;
  constexpr std::size_t kLongest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (std::size_t month = 1; month < cron.months.size(); ++month) {
    if (!cron.months.test(month)) continue;
    for (std::size_t day = 1; day <= kLongest[month - 1]; ++day) {
      if (cron.days.test(day)) return true;
    }
  }
  return false;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
  std::vector<std::string_view> words = words_of(text);
  if (words.size() == 1 && words.front().starts_with('@')) {
    const auto nickname = std::find_if(std::begin(kNicknames), std::end(kNicknames),
                                       [&](const Nickname& one) { return one.name == words.front(); });
    if (nickname == std::end(kNicknames))
      return Error{"expected @hourly, @daily, @weekly, @monthly or @yearly, or five fields"};
    words = words_of(nickname->means);
  }
  if (words.size() != kFields.size())
    return Error{"expected five fields: minute, hour, day of the month, month and day of the week"};
  std::array<std::vector<int>, kFields.size()> values;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    auto parsed = parse_field(words[i], kFields[i]);
    if (!parsed) return wrong(kFields[i]);
    values[i] = *std::move(parsed);
  }
  Cron cron;
  for (const int value : values[0]) cron.minutes.set(static_cast<std::size_t>(value));
  for (const int value : values[1]) cron.hours.set(static_cast<std::size_t>(value));
  for (const int value : values[2]) cron.days.set(static_cast<std::size_t>(value));
  for (const int value : values[3]) cron.months.set(static_cast<std::size_t>(value));
  for (const int value : values[4]) cron.weekdays.set(static_cast<std::size_t>(value % 7));
  cron.any_day = words[2].starts_with('*');
  cron.any_weekday = words[4].starts_with('*');
  if (!ever_comes(cron)) return Error{"no month has that day: it would never be run"};
  return cron;
}

}  // namespace serval::config
