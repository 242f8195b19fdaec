#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_field.hpp"

namespace serval::master {

/// A line of the app's output that is one JSON object, as a line of serval's JSON log shows it.
struct JsonLine {
  struct Member {
    std::string key;
    std::string value;  ///< JSON in one line; numbers as the app spelt them
  };

  std::string message;          ///< of the key `msg`, or else `message`, where that is a text; empty: neither is
  std::vector<Member> members;  ///< the others, each key once and none of them serval's, in the app's order

  /// Views of the members.
  std::vector<log::Field> fields() const;
};

/// None: the line is no JSON object (RFC 8259), it is nested deeper than 16, or it has more than 64 keys. Of a key that
/// comes twice the last value counts. `is_ours` says which keys serval's own fields have: what the app calls so becomes
/// app_KEY. The work and the result are bounded by the length of the line.
std::optional<JsonLine> read_json_line(std::string_view line, const std::function<bool(std::string_view)>& is_ours);

}  // namespace serval::master
