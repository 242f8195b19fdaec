#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"

namespace serval::config {

using Environment = std::map<std::string, std::string, std::less<>>;

/// A copy of this process's environment.
Environment process_environment();

/// All that decides about a configuration, so that loading is a function of it (and of the file's content).
struct Sources {
  std::optional<std::string> file;                          ///< none: no file is read
  std::vector<std::pair<std::string, std::string>> flags;   ///< option path and value in command-line order; lists: one item each
  Environment environment;
  std::string working_directory;                            ///< absolute; what relative paths outside the file start from
};

struct Loaded {
  Config config;                                   ///< effective and usable if there are no problems; paths are absolute
  std::map<std::string, Origin, std::less<>> origins;  ///< option path → where its value came from; every option has one
  std::map<std::string, std::string, std::less<>> written{};  ///< option path → its value as the file has it, where variables were replaced in it
  std::vector<Problem> problems;                   ///< errors, in the order of their places: file, environment, flags, missing values
  std::vector<Problem> notes;                      ///< warnings: most likely slips
  std::string file;                                ///< the file that was read, absolute; empty: none
  std::string file_name;                           ///< the same as the user named it
};

/// The file of the sources as it is called, absolute; empty: none.
std::string file_of(const Sources& sources);

/// Defaults < PORT and WEB_CONCURRENCY < file < SERVAL_* variables < flags. Never stops at the first problem.
Loaded load(const Sources& sources);

/// Every option as path and one line of text, in the table's order. Any value comes back the same through from_text().
std::vector<std::pair<std::string, std::string>> to_text(const Config& config);
/// Refuses unknown paths and unreadable values; options that are not named keep their defaults.
Result<Config> from_text(const std::vector<std::pair<std::string, std::string>>& texts);

}  // namespace serval::config
