#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/interpolate.hpp"
#include "config/raw.hpp"

namespace serval::config {

/// An option that the file sets.
struct FileValue {
  const Option* option;  ///< nullptr: a program's table begins, and `raw` says where
  Raw raw;
  std::string program{};  ///< whose table it is in; empty: it is the server's
};

using FileValues = std::vector<FileValue>;

/// Reads a TOML file: which options it sets, each with its position and with ${VAR} replaced. `name` is what problems
/// call the file. What is wrong with its keys (unknown, reserved for later versions, a value where a table belongs) is
/// added to `problems`, and so is what makes it unreadable as a whole: then there is no result.
std::optional<FileValues> read_file(const std::string& path, const std::string& name, const Lookup& lookup,
                                    std::vector<Problem>& problems);

/// The same for text that has been read already.
std::optional<FileValues> read_text(std::string_view text, const std::string& name, const Lookup& lookup,
                                    std::vector<Problem>& problems);

/// For a word that is no option's path: the one it was most likely meant to be, among options and reserved names; empty
/// if none is near.
std::string nearest_path(std::string_view path);

}  // namespace serval::config
