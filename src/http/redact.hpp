#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace serval::http {

/// Takes the values of some query parameters out of what a log shows of a request: its target, a Referer, the first
/// line of one that was refused. Any thread.
class Redactor {
 public:
  Redactor() = default;
  /// `names`: of parameters, decoded; case does not matter.
  explicit Redactor(const std::vector<std::string>& names);

  bool on() const { return !names_.empty(); }
  /// The text itself, or a copy in `memory` whose values of such parameters are "[redacted]". A value goes to the next
  /// '&', or to the end: where some servers end it earlier, more is taken out.
  std::string_view shown(std::string_view text, std::string& memory) const {
    return on() && text.find('?') != text.npos ? without_values(text, memory) : text;
  }

 private:
  std::string_view without_values(std::string_view text, std::string& memory) const;
  bool is_secret(std::string_view encoded_name) const;

  std::vector<std::string> names_;  ///< in lower case
};

}  // namespace serval::http
