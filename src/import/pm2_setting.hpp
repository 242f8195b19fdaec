#pragma once

#include <functional>
#include <string>

namespace serval::import {

/// What surrounds an ecosystem file.
struct Pm2Setting {
  std::string file;           ///< as the user named it
  std::string environment{};  ///< of --env NAME; empty: none
  int cpus = 1;               ///< that instances = "max" stands for
  std::function<bool(const std::string& path)> is_file = [](const auto&) { return false; };  ///< from the file's folder
};

}  // namespace serval::import
