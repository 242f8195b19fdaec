#include "config/expected.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "base/units.hpp"

namespace serval::config {

namespace {

std::string format_number(std::int64_t number) { return std::to_string(number); }
std::string format_milliseconds(std::int64_t number) { return format_duration(Duration{number}); }
std::string format_bytes(std::int64_t number) { return format_size(static_cast<std::size_t>(number)); }
std::string format_bits(std::int64_t number) { return format_mode(static_cast<unsigned>(number)); }

std::string from_to(const Range& range, std::string (*format)(std::int64_t)) {
  return "from " + format(range.min) + " to " + format(range.max);
}

std::string or_none(const Range& range, std::string_view zero) {
  return range.or_none ? ", or " + std::string(zero) + " for none" : "";
}

std::string one_of(std::span<const std::string_view> words) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : ", ") + quoted(words[i]);
  return text;
}

// expected(option) by type.
struct Expected {
  const Option& option;
  std::string operator()(Access<bool>) const { return "true or false"; }
  std::string operator()(Access<int>) const {
    return "a whole number " + from_to(option.range, format_number) + or_none(option.range, "0");
  }
  std::string operator()(Access<std::optional<int>>) const {
    return "\"auto\" or a whole number " + from_to(option.range, format_number);
  }
  std::string operator()(Access<double>) const { return "a ratio " + from_to(option.range, format_number); }
  std::string operator()(Access<Portion>) const {
    return "a whole number " + from_to(option.range, format_number) + ", or a share from \"1%\" to \"100%\"";
  }
  std::string operator()(Access<unsigned>) const {
    return "octal permission bits in quotes " + from_to(option.range, format_bits);
  }
  std::string operator()(Access<std::size_t>) const {
    return "a size " + from_to(option.range, format_bytes) + or_none(option.range, "0");
  }
  std::string operator()(Access<Duration>) const {
    return "a duration " + from_to(option.range, format_milliseconds) + or_none(option.range, "\"0\"");
  }
  std::string operator()(Access<std::string>) const { return "a text in quotes"; }
  std::string operator()(Access<Texts>) const { return "a list of texts"; }
  std::string operator()(Access<Pairs>) const { return "a table of texts"; }
  std::string operator()(Access<Codes>) const {
    return "a list of whole numbers " + from_to(option.range, format_number);
  }
  template <Choice T>
  std::string operator()(Access<T>) const {
    return one_of(choices(T{}));
  }
};

struct LimitsText {
  const Option& option;
  std::string operator()(Access<int>) const { return bounds(format_number); }
  std::string operator()(Access<std::optional<int>>) const { return bounds(format_number); }
  std::string operator()(Access<double>) const { return bounds(format_number); }
  std::string operator()(Access<Portion>) const { return bounds(format_number) + ", or 1% to 100%"; }
  std::string operator()(Access<unsigned>) const { return bounds(format_bits); }
  std::string operator()(Access<std::size_t>) const { return bounds(format_bytes); }
  std::string operator()(Access<Duration>) const { return bounds(format_milliseconds); }
  template <Choice T>
  std::string operator()(Access<T>) const {
    return words(choices(T{}));
  }
  template <class T>
  std::string operator()(Access<T>) const {
    return {};
  }
  std::string bounds(std::string (*format)(std::int64_t)) const {
    return format(option.range.min) + " to " + format(option.range.max) + (option.range.or_none ? ", or 0" : "");
  }
  static std::string words(std::span<const std::string_view> names) {
    std::vector<std::string> copies(names.begin(), names.end());
    return join(copies, ", ");
  }
};

}  // namespace

std::string expected(const Option& option) { return std::visit(Expected{option}, option.field); }
std::string limits(const Option& option) { return std::visit(LimitsText{option}, option.field); }

}  // namespace serval::config
