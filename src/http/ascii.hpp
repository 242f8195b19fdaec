#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

/// The character classes of RFC 9110 and RFC 3986 as one table: one look-up per byte, whatever the locale.
namespace serval::http::ascii {

enum Class : std::uint8_t {
  token = 1,        ///< tchar, RFC 9110 §5.6.2
  value = 2,        ///< in a field value: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5)
  target = 4,       ///< in a request target: VCHAR and 0x80 to 0xFF but '#'; more than RFC 9112 §3.2 lets clients send
  reg_name = 8,     ///< in a registered name but '%': unreserved, sub-delims (RFC 3986 §3.2.2)
  hex = 16,
  digit = 32,
  underscore = 64,  ///< only '_'
  id = 128,         ///< in a request id that we take over
};

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&](std::string_view bytes, Class c) {
    for (const char byte : bytes) classes[static_cast<unsigned char>(byte)] |= c;
  };
  constexpr std::string_view alpha = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view digits = "0123456789";
  for (const Class c : {token, reg_name, id}) {
    add(alpha, c);
    add(digits, c);
  }
  add("!#$%&'*+-.^_`|~", token);
  add("-._~!$&'()*+,;=", reg_name);
  add("-._~+/=:@", id);
  add("0123456789abcdefABCDEF", hex);
  add(digits, digit);
  add("_", underscore);
  for (std::size_t byte = 0x21; byte < 0x7f; ++byte) classes[byte] |= value | target;
  for (std::size_t byte = 0x80; byte < 0x100; ++byte) classes[byte] |= value | target;
  classes[' '] |= value;
  classes['\t'] |= value;
  classes['#'] &= static_cast<std::uint8_t>(~target);
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

inline constexpr std::uint8_t classes_of(char byte) { return kClasses[static_cast<unsigned char>(byte)]; }
inline constexpr bool is(char byte, Class c) { return (classes_of(byte) & c) != 0; }
inline constexpr char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte; }

inline constexpr bool all(std::string_view text, Class c) {
  for (const char byte : text) {
    if (!is(byte, c)) return false;
  }
  return true;
}

/// First byte of [at, end) that may not stand in a field value; `end` if there is none. Eight bytes at a time: values
/// are most of a head.
inline const char* skip_value(const char* at, const char* end) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x8080808080808080;
  while (end - at >= 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, 8);
    if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
    // The classic "has a byte below n" test: its lowest hit is always a true one, those above it may not be.
    const std::uint64_t below_space = (bytes - ones * 0x20) & ~bytes;
    const std::uint64_t no_del = bytes ^ (ones * 0x7f);
    const std::uint64_t del = (no_del - ones) & ~no_del;
    const std::uint64_t hits = (below_space | del) & tops;
    if (hits == 0) {
      at += 8;
      continue;
    }
    at += std::countr_zero(hits) / 8;
    if (*at != '\t') return at;
    ++at;
  }
  while (at != end && is(*at, value)) {
    ++at;
  }
  return at;
}

/// `name` is `lower_case`, whatever the case of its letters. `lower_case` holds letters and '-' only, `name` is a
/// token: then setting the bit that tells the cases apart changes nothing else.
inline bool is_name(std::string_view name, std::string_view lower_case) {
  if (name.size() != lower_case.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < name.size(); ++i) difference |= static_cast<unsigned>((name[i] | 0x20) ^ lower_case[i]);
  return difference == 0;
}

/// Without spaces and tabs on either side (OWS, RFC 9110 §5.6.3).
inline constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Cuts the first element off a comma-separated list and trims it. Quoted strings are not understood: for lists of
/// tokens and addresses.
inline constexpr std::string_view take_element(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view element = list.substr(0, comma);
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  return trim(element);
}

}  // namespace serval::http::ascii
