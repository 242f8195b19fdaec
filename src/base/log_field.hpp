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

/// One `key=value`. Text values are quoted and escaped when they hold spaces, quotes, '=' or control bytes, so a line stays one line.
struct Field {
  Field(std::string_view name, std::string_view value) : key(name), text(value), quoted(true) {}
  Field(std::string_view name, const char* value) : Field(name, std::string_view(value)) {}
  Field(std::string_view name, const std::string& value) : Field(name, std::string_view(value)) {}
  template <class Int>
  requires std::is_integral_v<Int> Field(std::string_view name, Int value) : key(name), text(std::to_string(value)), quoted(false) {}
  Field(std::string_view name, std::chrono::milliseconds value) : Field(name, value.count()) {}

  std::string_view key;
  std::string text;
  bool quoted;  ///< JSON: a string, not a number
};
using Fields = std::initializer_list<Field>;

}  // namespace serval::log
