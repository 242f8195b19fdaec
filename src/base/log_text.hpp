#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "base/log_field.hpp"

/// How a log line is spelt, without any I/O: the two formats of base/log.hpp.
namespace serval::log {

/// text: `worker[3] gen=2 pid=811`; json: `"process":"worker[3]","gen":2,"pid":811`.
std::string render_origin(Style style, const LogOrigin& origin);

/// text: `worker ready boot_ms=12`; json: `"msg":"worker ready","boot_ms":12`.
std::string render(Style style, std::string_view sentence, std::span<const Field> fields);

struct Line {
  std::chrono::system_clock::time_point time;
  std::string_view level;    ///< "info"
  std::string_view origin;   ///< from render_origin, of the same style
  std::string_view payload;  ///< from render, of the same style
  /// For the journal (base/journal.hpp), which has time and level itself: text lines have neither then.
  std::string_view priority{};
};

/// The whole line with its '\n'.
void append_line(std::string& out, Style style, const Line& line);

/// `text` inside a JSON string, without the quotes (RFC 8259 §7). Bytes that are not UTF-8 become U+FFFD.
void append_json(std::string& out, std::string_view text);

/// `text` in a text line: control characters (C0, DEL, C1) and bytes that are not UTF-8 become \xHH, so no terminal
/// obeys them and a line stays one line; \n, \r and \t are written as such. With `quoted`, also '"' and '\' get a
/// backslash.
void append_text(std::string& out, std::string_view text, bool quoted);

}  // namespace serval::log
