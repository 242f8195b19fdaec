#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Small pure functions on text. No locale: letters are ASCII.
namespace serval {

/// Without blanks, tabs and line ends around it.
std::string_view trim(std::string_view text);

/// The pieces between separators, empty ones too; always at least one.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Of a string that is gone before the parts are looked at.
template <std::same_as<std::string> Text>
std::vector<std::string_view> split(Text&& text, char separator) = delete;

std::string join(std::span<const std::string> pieces, std::string_view separator);

/// Single-character insertions, removals, changes and swaps of neighbours that lead from one to the other.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// The candidate that `word` was most likely meant to be; one that begins with it, or else the nearest by
/// edit_distance(); none if that is farther than a third of its letters (at least two).
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

/// In double quotes, as TOML's basic strings and JSON write it: quotes, backslashes and control bytes escaped, so it
/// stays one line. Bytes that are not valid UTF-8 pass unchanged.
std::string quoted(std::string_view text);
// Exact matches for std::string: otherwise argument-dependent lookup prefers std::quoted, which is not this, where
// <iomanip> is included.
inline std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(const char* text) { return quoted(std::string_view(text)); }

/// Running text in lines of at most `columns`, where no single word is longer; the first one begins at `indent`, where
/// something may stand already, and the others are indented so far. Without an end of line at the end.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0);

/// What a terminal has at least.
inline constexpr std::size_t kTerminalColumns = 80;

/// A row of help: `text` wrapped beside `left`, from column `width` on, or below it if it is too long. A whole line or
/// more.
std::string help_row(std::string_view left, std::size_t width, std::string_view text);

/// The bytes of the well-formed UTF-8 character that `text`, which is not empty, starts with; 0: there is none
/// (Unicode, table 3-7; RFC 3629 §4).
std::size_t utf8_length(std::string_view text);
/// At most `limit` bytes of it, cut before a character that would not be whole.
std::string_view whole_characters(std::string_view text, std::size_t limit);
/// At most `limit` bytes, cut at a character, with "..." in place of the rest.
std::string shortened(std::string_view text, std::size_t limit);

/// %HH replaced by its byte; what is not a valid escape stays as it is.
std::string percent_decoded(std::string_view text);

/// Two lower-case digits for each byte.
std::string hex(std::string_view bytes);
/// The same, written to where there is room for it. Gives its end.
char* write_hex(std::string_view bytes, char* out);

}  // namespace serval
