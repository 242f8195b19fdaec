#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/load.hpp"

/// What goes between a master and the process in which it has its configuration read (`serval read FD`): both
/// directions as text. The reader may die of what it reads, and hang on where it reads from.
namespace serval::config {

/// What such a process has found.
struct Reading {
  Config config;          ///< usable if there are no problems
  std::string problems;   ///< as format_problems() has them, several lines; empty: none
  std::string file;       ///< as Loaded::file: where the sources lead; empty: none
  std::string real_file;  ///< the same with its links followed, when it was read
};

/// load(), and where the links on the way to the file led.
Reading read(const Sources& sources);

std::string write_sources(const Sources& sources);
Result<Sources> read_sources(std::string_view text);

std::string write_reading(const Reading& reading);
Result<Reading> read_reading(std::string_view text);

/// `path` with all links followed; the same as it came if that is not to be had.
std::string real_path(const std::string& path);

}  // namespace serval::config
