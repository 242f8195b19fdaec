#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/loaded.hpp"

namespace serval::config {

using Environment = std::map<std::string, std::string, std::less<>>;

/// A copy of this process's environment.
Environment process_environment();

/// All that decides about a configuration, so that loading is a function of it (and of the file's content).
struct Sources {
  std::optional<std::string> file;                          ///< none: no file is read
  /// Option path and value in command-line order; lists: one item each.
  std::vector<std::pair<std::string, std::string>> flags;
  Environment environment;
  /// Absolute; what relative paths outside the file start from.
  std::string working_directory;
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
