#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace serval::os {

/// How often our control group has used up its share of the CPUs (cgroups(7), cpu.stat).
struct Throttling {
  std::uint64_t periods = 0;       ///< in which it ran
  std::uint64_t throttled = 0;     ///< of those, in which it had to wait for the next
  std::uint64_t throttled_us = 0;  ///< for so long, all CPUs together
};

/// None if it has no limit, or the kernel does not tell. `root` stands before /proc and the mount points (tests).
std::optional<Throttling> throttling(const std::string& root = "");

/// From the text of cpu.stat, of either version of control groups.
std::optional<Throttling> parse_throttling(std::string_view text);

}  // namespace serval::os
