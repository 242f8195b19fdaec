#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace serval::os {

/// Bytes that this process and its siblings may use together: the smallest of the machine's memory and the memory
/// limits of our cgroup and its parents (memory.max in cgroup v2, memory.limit_in_bytes in v1; cgroups(7)). None if
/// nothing can be found out. `root` stands before /proc and /sys (tests); the machine's memory is always this one's.
std::optional<std::uint64_t> memory_limit(const std::string& root = "");

/// The limit of the cgroups alone; none if there is none.
std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root = "");

/// "536870912\n" -> 536870912; none for "max", and for v1's way to say so: LONG_MAX rounded down to a page.
std::optional<std::uint64_t> parse_memory_max(std::string_view text);

}  // namespace serval::os
