#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace serval::config {

/// A file that is built or edited while somebody develops, and what has to begin anew with it.
struct WatchedFile {
  std::string path;     ///< absolute
  std::string program;  ///< whose instances it is for; empty: it takes a reload
  bool operator==(const WatchedFile&) const = default;
};

/// The configuration file (empty: none), the app's library, and for each program every word of its command that names
/// a file: a program is a file itself, or what an interpreter runs. What is found in PATH is nobody's build.
/// `is_file`: whether there is a regular file. Pure but for that.
std::vector<WatchedFile> watched_files(const Config& config, const std::string& config_file,
                                       const std::function<bool(const std::string& path)>& is_file);

}  // namespace serval::config
