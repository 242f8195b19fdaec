#include "top/text.hpp"

#include <algorithm>
#include <cstdio>

#include "control/shown.hpp"

namespace serval::top {

std::int64_t count_at(const boost::json::object& object, std::string_view key) {
  return std::max<std::int64_t>(control::number_at(object, key).value_or(0), 0);
}

std::string with_digits(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string amount(double value) {
  if (value >= 1e6) return with_digits(value / 1e6, 1) + "M";
  if (value >= 1e4) return with_digits(value / 1e3, 1) + "k";
  return with_digits(value, value > 0 && value < 10 ? 1 : 0);
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::size_t length(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t used = length(text) + 1;
  const std::string padding(width > used ? width - used : 0, ' ');
  return right ? padding + text + " " : text + padding + " ";
}

std::string cut(const std::string& text, std::size_t characters) {
  std::size_t end = 0;
  while (end < text.size()) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && characters-- == 0) break;
    ++end;
  }
  return text.substr(0, end);
}

}  // namespace serval::top
