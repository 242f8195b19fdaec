#pragma once

#include <span>
#include <string>

namespace serval::config {

/// Where a value came from, or where a problem is.
struct ValueSource {
  enum class Kind { defaulted, file, environment, flag };

  Kind kind = Kind::defaulted;
  std::string name;  ///< the file as it was named, the variable, or the flag with its dashes
  int line = 0;      ///< file only, from 1; 0: the file as a whole
  int column = 0;    ///< in characters, from 1

  /// "default", "serval.toml:12:9", "environment SERVAL_WORKERS_THREADS", "flag --workers.threads".
  std::string text() const;
  friend bool operator==(const ValueSource&, const ValueSource&) = default;
};

/// Something in the configuration that is wrong (or, as a note, most likely a slip).
struct Problem {
  ValueSource at;
  std::string what;  ///< one line: the key, the offending text, what was expected
  std::string hint;  ///< one line: what to do; empty: nothing to add
};

/// One or two lines each: `serval.toml:12:9: error: workers.threads = "five": expected ...`, then `  hint: ...`.
/// `severity` is "error" or "warning".
std::string format_problems(std::span<const Problem> problems, std::string_view severity);

}  // namespace serval::config
