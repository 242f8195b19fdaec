#include "base/units.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/text.hpp"

namespace serval {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// From large to small: parse_duration relies on it to refuse "30m1h", the formatters to find the largest exact one.
constexpr Unit kDurationUnits[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr Unit kBinaryUnits[] = {
    {"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}};
constexpr Unit kDecimalUnits[] = {{"TB", 1'000'000'000'000}, {"GB", 1'000'000'000}, {"MB", 1'000'000}, {"KB", 1'000}};
constexpr std::uint64_t kMaxMilliseconds = 100ull * 365 * 24 * 3'600'000;

const Error kDurationError{"expected a number with a unit: ms, s, m or h"};
const Error kSizeError{"expected a number of bytes, or one with a unit: KiB, MiB, GiB, TiB (or KB, MB, GB, TB)"};

std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool same_letters(std::string_view one, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  text = trim(text);
  if (text == "0" || text == "off") return Duration{0};
  if (text.empty()) return kDurationError;
  std::uint64_t total = 0;
  const Unit* last = nullptr;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return kDurationError;
    const auto name = text.substr(0, text.find_first_of("0123456789"));
    const auto unit = std::find_if(std::begin(kDurationUnits), std::end(kDurationUnits),
                                   [&](const Unit& known) { return known.name == name; });
    if (unit == std::end(kDurationUnits) || (last && unit <= last)) return kDurationError;
    if (*number > (kMaxMilliseconds - total) / unit->factor) return Error{"longer than 100 years"};
    total += *number * unit->factor;
    last = unit;
    text.remove_prefix(name.size());
  }
  return Duration{static_cast<Duration::rep>(total)};
}

std::string format_duration(Duration duration) {
  const auto milliseconds = static_cast<std::uint64_t>(duration.count());
  if (milliseconds == 0) return "0";
  for (const auto& unit : kDurationUnits) {
    if (unit.factor > 1'000 && milliseconds < 120'000) continue;
    if (milliseconds % unit.factor == 0) return std::to_string(milliseconds / unit.factor) + std::string(unit.name);
  }
  return std::to_string(milliseconds) + "ms";
}

Result<std::size_t> parse_size(std::string_view text) {
  text = trim(text);
  if (text == "off") return std::size_t{0};
  const auto number = take_number(text);
  if (!number) return kSizeError;
  std::uint64_t factor = 0;
  if (text.empty()) factor = 1;
  for (const auto& unit : kBinaryUnits) {
    if (same_letters(text, unit.name)) factor = unit.factor;
  }
  for (const auto& unit : kDecimalUnits) {
    if (same_letters(text, unit.name)) factor = unit.factor;
  }
  if (factor == 0) return kSizeError;
  if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor) {
    return Error{"more bytes than this machine can count"};
  }
  return static_cast<std::size_t>(*number * factor);
}

namespace {

/// The largest of which it is a whole number; null: bytes.
auto exact_unit(std::size_t bytes) {
  const auto fits = [bytes](const auto& unit) { return unit.factor > 1 && bytes != 0 && bytes % unit.factor == 0; };
  const auto found = std::find_if(std::begin(kBinaryUnits), std::end(kBinaryUnits), fits);
  return found == std::end(kBinaryUnits) ? nullptr : &*found;
}

}  // namespace

std::string format_size(std::size_t bytes) {
  const auto* unit = exact_unit(bytes);
  return unit == nullptr ? std::to_string(bytes) : std::to_string(bytes / unit->factor) + std::string(unit->name);
}

std::string format_size_like(std::size_t bytes, std::size_t other) {
  const auto* unit = exact_unit(other);
  if (unit == nullptr) return std::to_string(bytes);
  const std::size_t rest = bytes % unit->factor;
  const std::string tenths = rest == 0 ? "" : "." + std::to_string(rest / (unit->factor / 10 + 1));
  return std::to_string(bytes / unit->factor) + tenths + std::string(unit->name);
}

Result<unsigned> parse_mode(std::string_view text) {
  unsigned mode = 0;
  text = trim(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc{} || end != text.data() + text.size() || mode > 07777) {
    return Error{"expected octal permission bits such as \"0022\""};
  }
  return mode;
}

std::string format_mode(unsigned mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) digits += static_cast<char>('0' + ((mode >> shift) & 7));
  return digits;
}

}  // namespace serval
