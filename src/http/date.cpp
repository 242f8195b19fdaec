#include "http/date.hpp"

#include <array>
#include <ctime>
#include <limits>

namespace serval::http {
namespace {

constexpr std::size_t kSize = 29;

/// Not strftime: its names of days and months follow the locale, which belongs to the app.
void format(std::time_t second, std::array<char, kSize>& text) {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::tm utc{};
  gmtime_r(&second, &utc);
  constexpr std::string_view shape = "Day, 00 Mon 0000 00:00:00 GMT";
  static_assert(shape.size() == kSize);
  shape.copy(text.data(), kSize);
  days.substr(static_cast<std::size_t>(utc.tm_wday) * 3, 3).copy(text.data(), 3);
  months.substr(static_cast<std::size_t>(utc.tm_mon) * 3, 3).copy(text.data() + 8, 3);
  const auto put = [&](std::size_t at, int digits, int number) {
    for (int digit = digits - 1; digit >= 0; --digit, number /= 10) {
      text[at + static_cast<std::size_t>(digit)] = static_cast<char>('0' + number % 10);
    }
  };
  put(5, 2, utc.tm_mday);
  put(12, 4, utc.tm_year + 1900);
  put(17, 2, utc.tm_hour);
  put(20, 2, utc.tm_min);
  put(23, 2, utc.tm_sec);
}

std::string_view text_of(std::time_t second) {
  thread_local std::time_t formatted = std::numeric_limits<std::time_t>::min();
  thread_local std::array<char, kSize> text{};
  if (second != formatted) {
    format(second, text);
    formatted = second;
  }
  return {text.data(), text.size()};
}

}  // namespace

std::string_view date_text(std::chrono::system_clock::time_point when) {
  return text_of(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(when)));
}

std::string_view date_now() { return text_of(std::time(nullptr)); }

}  // namespace serval::http
