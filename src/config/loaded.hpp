#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/problem.hpp"

namespace serval::config {

/// A file that env_file names.
struct EnvFileRead {
  std::string option;         ///< "app.env_file", "programs.mailer.env_file"
  std::string path;           ///< absolute
  std::size_t variables = 0;  ///< that it has
  bool missing = false;       ///< it may be, and is
};

/// What came of loading a configuration (load.hpp).
struct Loaded {
  /// Effective and usable if there are no problems; paths are absolute.
  Config config;
  /// Option path → where its value came from; every option has one.
  std::map<std::string, ValueSource, std::less<>> origins;
  /// Option path → its value as the file has it, where variables were replaced in it.
  std::map<std::string, std::string, std::less<>> written{};
  /// Errors, in the order of their places: file, environment, flags, missing values.
  std::vector<Problem> problems;
  std::vector<Problem> notes;                      ///< warnings: most likely slips
  /// Those that were read, in the order of their options and in theirs.
  std::vector<EnvFileRead> env_files{};
  std::string file;                                ///< the file that was read, absolute; empty: none
  std::string file_name;                           ///< the same as the user named it
};

}  // namespace serval::config
