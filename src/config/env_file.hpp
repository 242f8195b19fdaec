#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// The language of env files: what docker's, dotenv's and systemd's have in common. Pure.
namespace serval::config {

/// What is wrong with a line, in words without what stands there: it is a secret, most likely.
struct EnvFileProblem {
  int line = 0;  ///< from 1
  std::string what;
  std::string hint{};
};

struct EnvFile {
  std::map<std::string, std::string> variables;
  std::vector<EnvFileProblem> problems;  ///< at most kMaxEnvFileProblems
  /// Of variables whose values have a `${NAME}`, as other tools would replace and this one does not.
  std::vector<std::string> with_references;
};
inline constexpr std::size_t kMaxEnvFileProblems = 10;

/// ```
/// # a comment, and blank lines
/// NAME=up to the end of the line, or to " #"; blanks around it are not part of it
/// export NAME='as it stands, over several lines too'
/// NAME="likewise, with \n \r \t \" \\ \$"   # a comment
/// ```
/// Other backslashes are themselves, and so is `$`: nothing is replaced and no command is run. Names are letters,
/// digits, '_', '.' and '-', not beginning with a digit. Lines may end with CRLF, and a BOM may come first. Of two that
/// have one name the last counts.
EnvFile parse_env_file(std::string_view text);

/// How an option names one: "PATH", or "-PATH" for one that may be missing. The error says what would be right.
Result<void> check_env_file(std::string_view named);
inline bool may_be_missing(std::string_view named) { return named.starts_with('-'); }

}  // namespace serval::config
