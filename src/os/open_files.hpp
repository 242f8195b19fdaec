#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace serval::os {

struct OpenFiles {
  std::uint64_t open = 0;
  std::uint64_t limit = 0;  ///< the soft one (getrlimit(2), RLIMIT_NOFILE)
};

/// Of another process, without counting them one by one: Linux 6.2 and later say it as the size of /proc/PID/fd. None
/// if the kernel is older, or the process has ended.
std::optional<OpenFiles> open_files(pid_t pid);

/// From the text of /proc/PID/limits; none if it is not said. "unlimited" is the largest number.
std::optional<std::uint64_t> parse_open_files_limit(const char* limits);

}  // namespace serval::os
