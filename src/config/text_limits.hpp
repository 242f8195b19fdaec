#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace serval::config {

inline constexpr int kMaxKeyParts = 64;
inline constexpr int kMaxLevels = 64;

/// What is wrong with a text before it is parsed as TOML.
struct Trouble {
  int line = 1;    ///< from 1
  int column = 1;  ///< from 1, in bytes
  std::string what;
};

/// The first place that a parser should not be trusted with, outside of strings and comments: a key of more parts, or
/// brackets in more levels, than it has stack for (toml++ descends once for each), and characters that are not ASCII,
/// of which some lead toml++ 3.3 into undefined behaviour. Pure, in time and memory linear. A text that is no TOML may
/// be taken for another than it is: the parser says what is wrong with it.
std::optional<Trouble> find_trouble(std::string_view text);

}  // namespace serval::config
