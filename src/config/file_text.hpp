#pragma once

#include <cstddef>
#include <string>

namespace serval::config {

struct FileText {
  bool is_there = true;
  bool is_too_large = false;
  std::string why{};  ///< it cannot be read; empty: it has been
  std::string text{};
};

/// The whole of a regular file of so many bytes at the most. Waits for nobody, whatever has the path.
FileText read_regular_file(const std::string& path, std::size_t most);

/// Of a pipe as well, for as long as a shell takes to write into one: `serval run -c <(make-config)`.
FileText read_file_or_pipe(const std::string& path, std::size_t most);

}  // namespace serval::config
