#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.hpp"
#include "config/problem.hpp"

namespace serval::config {

/// A value as its source wrote it, before the type of its option is asked.
struct Raw {
  enum class Kind {
    text,     ///< a TOML string, or one word from environment or flags; ${VAR} already replaced
    integer,  ///< text holds the decimal digits
    boolean,  ///< text is "true" or "false"
    other,    ///< a TOML float, date or time: only ratios take the first
    list,     ///< items
    table,    ///< items, and the key of each
  };

  Kind kind = Kind::text;
  std::string text;
  std::vector<Raw> items;
  std::vector<std::string> keys;
  ValueSource at;
  /// As the file has it, where variables were replaced in it: messages show this, and not `text`.
  std::optional<std::string> written{};
};

/// Stands for the value of a secret option wherever one would be shown.
inline constexpr std::string_view kHidden = "(hidden)";

/// A value of this option as TOML writes it, on one line and not too long: for messages. kHidden if the option is
/// secret; as the file has it if it came from variables, whose values may be secrets whatever the option.
std::string shown(const Option& option, const Raw& raw);

/// Whether variables were replaced in it, or in one of its items.
bool names_variables(const Raw& raw);

/// A word from environment or flags as a Raw of the option's shape: lists are split at commas (or given as a JSON
/// array), tables are NAME=VALUE pairs between commas (or a JSON object). A word that cannot be split comes back as
/// text, which decode() refuses.
Raw raw_from_word(const Option& option, std::string_view word, const ValueSource& at);

/// The reverse of encode(): the word is taken whole, lists and tables are JSON.
Raw raw_from_encoded(const Option& option, std::string_view text, const ValueSource& at);

}  // namespace serval::config
