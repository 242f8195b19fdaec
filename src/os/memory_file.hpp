#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

/// Texts that cross an exec as a file in memory (memfd_create(2)).
namespace serval::os {

/// A sealed memory file at offset 0 holding `text`. `name` is what /proc/PID/fd shows, `what` what errors call the
/// content: "the heritage".
Result<UniqueFd> make_memory_file(const char* name, const std::string& what, std::string_view text);
/// One of so many bytes, all zero, that stays so large; for writing through mappings. Takes memory only where it is
/// written to.
Result<UniqueFd> make_blank_memory_file(const char* name, const std::string& what, std::size_t size);
/// Another descriptor of the same file, which can only be read from, since a descriptor's access cannot be taken away
/// (proc(5), /proc/PID/fd); -1, errno: there is none to be had.
UniqueFd read_only(int fd);
/// The whole text, wherever the offset is.
Result<std::string> read_memory_file(int fd, const std::string& what);

}  // namespace serval::os
