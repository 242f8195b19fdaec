#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace serval::master {

/// Descriptors that a master needs for sure: its own with a mold and a command, and for each worker a channel and two
/// pipes, of which it has both ends while it forks. Molds and workers, with the same limit, need fewer.
constexpr int fewest_open_files(int workers, std::size_t listeners) {
  return 45 + static_cast<int>(listeners) + 6 * workers;
}

/// Why a server with this number of workers cannot run with this limit (RLIMIT_NOFILE), and what to do; none: it can.
/// Pure.
inline std::optional<std::string> too_few_open_files(int limit, int workers, std::size_t listeners) {
  const int fewest = fewest_open_files(workers, listeners);
  if (limit >= fewest) return std::nullopt;
  return "the limit of open files (RLIMIT_NOFILE) is " + std::to_string(limit) + ", and a server with " +
         std::to_string(workers) + (workers == 1 ? " worker" : " workers") + " needs " + std::to_string(fewest) +
         ", and one more for each connection: raise it, by ulimit -n or LimitNOFILE= of the unit, or have fewer "
         "workers";
}

}  // namespace serval::master
