#pragma once

#include <string>
#include <string_view>

#include "supervisor/actions.hpp"

namespace serval::master {

/// "sentence key=value key=value".
inline std::string text_of(const supervisor::Log& line) {
  std::string text = line.sentence;
  for (const log::Field& field : line.fields) text += " " + std::string(field.key) + "=" + field.text;
  return text;
}

/// Empty: there is no such field.
inline std::string field_of(const supervisor::Log& line, std::string_view key) {
  for (const log::Field& field : line.fields) {
    if (field.key == key) return field.text;
  }
  return "";
}

}  // namespace serval::master
