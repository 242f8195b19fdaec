#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace serval::http {

/// %HH replaced by its byte; what is not a valid escape stays as it is. Never fails.
std::string decode_path(std::string_view path);

/// The same of a part of a form, in which a '+' is a space, and an escaped one is itself.
std::string decode_form(std::string_view text);

struct Parameter {
  std::string name;
  std::string value;  ///< empty without '='

  bool operator==(const Parameter&) const = default;
};

/// The parameters of a query or of an application/x-www-form-urlencoded body, in order, repeated ones kept: split at
/// '&', '+' is a space, %HH a byte. Empty pieces ("a=1&&b=2") are skipped. Never fails.
std::vector<Parameter> parse_query(std::string_view query);

}  // namespace serval::http
