#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace serval::os {

/// Connections that the kernel has dropped before anybody could accept them: of all sockets of this network namespace,
/// since it was made.
struct ListenDrops {
  std::uint64_t overflows = 0;  ///< an accept queue was full
  std::uint64_t drops = 0;      ///< those, and for want of memory
};

/// None if the kernel does not tell. `root` stands before /proc (tests).
std::optional<ListenDrops> listen_drops(const std::string& root = "");

/// From the text of /proc/net/netstat: pairs of lines, names and numbers.
std::optional<ListenDrops> parse_listen_drops(std::string_view text);

}  // namespace serval::os
