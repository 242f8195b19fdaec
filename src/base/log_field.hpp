#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

/// What log lines are made of; base/log.hpp writes them, base/log_text.hpp spells them.
namespace serval::log {

enum class Level { debug, info, warning, error, off };
enum class Format { text, json };
enum class Keys { serval, ecs, datadog, gcp };  ///< what the keys of JSON are called; base/log_keys.hpp

/// How lines are spelt. `keys` says nothing where the format is text.
struct Style {
  Style(Format its_format, Keys its_keys = Keys::serval) : format(its_format), keys(its_keys) {}  // NOLINT: implicit
  Format format;
  Keys keys;
};

/// One `key=value`. Text values are quoted and escaped when they hold spaces, quotes, '=' or control bytes, so a line stays one line.
struct Field {
  Field(std::string_view name, std::string_view value) : key(name), text(value), quoted(true) {}
  Field(std::string_view name, const char* value) : Field(name, std::string_view(value)) {}
  Field(std::string_view name, const std::string& value) : Field(name, std::string_view(value)) {}
  template <class Int>
  requires std::is_integral_v<Int> Field(std::string_view name, Int value) : key(name), text(std::to_string(value)), quoted(false) {}
  Field(std::string_view name, std::chrono::milliseconds value) : Field(name, value.count()) {}
  /// Key and value are written as they are, whatever serval calls its own keys: `json` is one JSON value without an end
  /// of line. Where the format is text it is a text.
  static Field verbatim(std::string_view name, std::string_view json) {
    Field field(name, json);
    field.quoted = false;
    field.as_is = true;
    return field;
  }

  std::string_view key;
  std::string text;
  bool quoted;         ///< JSON: a string, not a number
  bool as_is = false;  ///< the key is not one of serval's
};
using Fields = std::initializer_list<Field>;

/// The process that logs a line. `stream` is empty but for captured lines.
struct LogOrigin {
  std::string_view process;
  int generation = 0;  ///< 0: has none (the master), and none is shown
  int pid = 0;
  std::string_view stream;
};

}  // namespace serval::log
