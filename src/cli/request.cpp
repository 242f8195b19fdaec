#include "cli/request.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"
#include "config/program_values.hpp"

namespace serval::cli {
namespace {

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The number that the word is for this argument; none if it is no such word, or out of range.
std::optional<std::int64_t> number_in(std::string_view word, const control::Argument& argument) {
  const bool has_sign = word.starts_with('+') || word.starts_with('-');
  if (has_sign != (argument.spelling == control::Spelling::change)) return std::nullopt;
  if (word.starts_with('+')) {  // std::from_chars knows no such sign
    word.remove_prefix(1);
    if (word.starts_with('-')) return std::nullopt;
  }
  const auto number = parse_number(word);
  return number && *number >= argument.min && *number <= argument.max ? number : std::nullopt;
}

const FlagRow& row_of(std::string_view name) {
  const auto table = flag_table();
  const auto row =
      std::find_if(table.begin(), table.end(), [name](const FlagRow& flag) { return flag.long_name == name; });
  SERVAL_CHECK(row != table.end());
  return *row;
}

bool is_flag_given(std::string_view name, const Invocation& invocation) {
  const FlagRow& row = row_of(name);
  SERVAL_CHECK(row.given != nullptr);
  return invocation.*row.given;
}

/// Empty: it was not given.
const std::string& value_given(std::string_view name, const Invocation& invocation) {
  const FlagRow& row = row_of(name);
  SERVAL_CHECK(row.value != nullptr);
  return invocation.*row.value;
}

bool takes_program_before_equals(const control::Command& order) {
  return std::any_of(order.arguments.begin(), order.arguments.end(), [](const control::Argument& argument) {
    return argument.spelling == control::Spelling::program_is;
  });
}

}  // namespace

std::variant<control::Request, Misuse> make_request(const Subcommand& command, const control::Command& order,
                                                    const Invocation& invocation) {
  control::Request request{.command = std::string(order.name), .arguments = {}};
  bool understood = invocation.words.empty();
  std::string word = understood ? std::string() : invocation.words.front();
  if (const auto equals = word.find('='); equals != 0 && equals != word.npos && takes_program_before_equals(order)) {
    request.arguments["program"] = word.substr(0, equals);
    word.erase(0, equals + 1);
  }
  for (const control::Argument& argument : order.arguments) {
    const control::json::string_view name(argument.name.data(), argument.name.size());
    if (argument.spelling == control::Spelling::none) continue;
    if (argument.spelling == control::Spelling::flag) {
      request.arguments[name] = is_flag_given(argument.name, invocation);
      continue;
    }
    if (argument.spelling == control::Spelling::value) {
      const std::string& given = value_given(argument.name, invocation);
      if (given.empty()) continue;
      const auto number = number_in(given, argument);
      if (!number) {
        return Misuse{"--" + std::string(argument.name) + " " + quoted(given) + " is not a number from " +
                          std::to_string(argument.min) + " to " + std::to_string(argument.max),
                      "for example --" + std::string(argument.name) + " " + std::to_string(argument.example)};
      }
      request.arguments[name] = *number;
      continue;
    }
    if (invocation.words.empty()) continue;
    if (argument.spelling == control::Spelling::program_is) continue;
    if (argument.spelling == control::Spelling::program) {  // the last one in its list
      if (!understood && config::check_program_name(word)) {
        request.arguments[name] = word;
        understood = true;
      }
      continue;
    }
    if (argument.spelling == control::Spelling::word_or_all && word == "all") {
      understood = true;
    } else if (const auto number = number_in(word, argument)) {
      request.arguments[name] = *number;
      understood = true;
    }
  }
  if (understood) return request;
  return Misuse{quoted(invocation.words.front()) + " is no " + std::string(command.word),
                std::string(command.word_hint)};
}

}  // namespace serval::cli
