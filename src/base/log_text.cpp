#include "base/log_text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "base/log_keys.hpp"
#include "base/text.hpp"

namespace serval::log {
namespace {

bool is_control(std::string_view character) {
  const auto first = static_cast<std::uint8_t>(character[0]);
  if (first < 0x20 || first == 0x7f) return true;
  return first == 0xc2 && static_cast<std::uint8_t>(character[1]) < 0xa0;
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xf];
  }
}

/// The escapes that both formats share; null if the byte has none.
const char* short_escape(char c) {
  switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return nullptr;
  }
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  return std::any_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte <= ' ' || byte >= 0x7f || c == '"' || c == '=' || c == '\\';
  });
}

void append_value(std::string& out, std::string_view value) {
  if (!needs_quotes(value)) {
    out += value;
    return;
  }
  out += '"';
  append_text(out, value, true);
  out += '"';
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json(out, text);
  out += '"';
}

/// `"time":`, as `keys` calls it.
void append_key(std::string& out, Keys keys, std::string_view key) {
  append_json_string(out, key_name(keys, key));
  out += ':';
}

void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<milliseconds>(time - day));
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  out.append(text, static_cast<std::size_t>(size));
}

}  // namespace

void append_text(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (const char* escape = short_escape(text[0])) {
      out += escape;
    } else if (length == 0 || is_control(character)) {
      append_hex(out, character);
    } else {
      if (quoted && (text[0] == '"' || text[0] == '\\')) out += '\\';
      out += character;
    }
    text.remove_prefix(character.size());
  }
}

void append_json(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (const char* escape = short_escape(text[0])) {
      out += escape;
    } else if (length == 0) {
      out += "\\ufffd";
    } else if (static_cast<std::uint8_t>(text[0]) < 0x20 || text[0] == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(text[0]));
      out += code;
    } else {
      if (text[0] == '"' || text[0] == '\\') out += '\\';
      out += character;
    }
    text.remove_prefix(character.size());
  }
}

std::string render_origin(Style style, const LogOrigin& origin) {
  std::string out;
  if (style.format == Format::json) {
    append_key(out, style.keys, "process");
    append_json_string(out, origin.process);
    if (origin.generation != 0) {
      out += ',';
      append_key(out, style.keys, "gen");
      out += std::to_string(origin.generation);
    }
    out += ',';
    append_key(out, style.keys, "pid");
    out += std::to_string(origin.pid);
    if (!origin.stream.empty()) {
      out += ',';
      append_key(out, style.keys, "stream");
      append_json_string(out, origin.stream);
    }
    return out;
  }
  append_text(out, origin.process, false);
  if (origin.generation != 0) out += " gen=" + std::to_string(origin.generation);
  out += " pid=" + std::to_string(origin.pid);
  if (!origin.stream.empty()) {
    out += " stream=";
    append_value(out, origin.stream);
  }
  return out;
}

std::string render(Style style, std::string_view sentence, std::span<const Field> fields) {
  std::string out;
  if (style.format == Format::json) {
    append_key(out, style.keys, "msg");
    append_json_string(out, sentence);
    for (const Field& field : fields) {
      out += ',';
      if (field.as_is) {
        append_json_string(out, field.key);
        out += ':';
      } else {
        append_key(out, style.keys, field.key);
      }
      if (field.quoted) {
        append_json_string(out, field.text);
      } else {
        out += field.text;
      }
    }
    return out;
  }
  append_text(out, sentence, false);
  for (const Field& field : fields) {
    out += ' ';
    append_text(out, field.key, false);
    out += '=';
    append_value(out, field.text);
  }
  return out;
}

void append_line(std::string& out, Style style, const Line& line) {
  out += line.priority;
  if (style.format == Format::json) {
    out += '{';
    append_key(out, style.keys, "time");
    out += '"';
    append_time(out, line.time);
    out += "\",";
    append_key(out, style.keys, "level");
    out += '"';
    out += line.level;
    out += "\",";
    out += line.origin;
    out += ',';
    out += line.payload;
    out += constant_members(style.keys);
    out += "}\n";
    return;
  }
  if (line.priority.empty()) {
    constexpr std::size_t kLevelWidth = 5;
    append_time(out, line.time);
    out += ' ';
    out += line.level;
    out.append(line.level.size() < kLevelWidth ? kLevelWidth - line.level.size() : 0, ' ');
    out += ' ';
  }
  out += line.origin;
  out += ": ";
  out += line.payload;
  out += '\n';
}

}  // namespace serval::log
