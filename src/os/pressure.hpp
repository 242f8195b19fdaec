#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How long work has waited for a resource: what the kernel calls pressure stall information (PSI,
/// Documentation/accounting/psi.rst).
namespace serval::os {

struct Pressure {
  std::uint64_t some_us = 0;  ///< at least one task waited; since the group, or the machine, began
  std::uint64_t full_us = 0;  ///< all of them did
};

/// Of our control group where it is told, else of the machine; none: the kernel was built or started without.
/// `resource` is "cpu", "memory" or "io"; `root` stands before /proc and the mount points (tests).
std::optional<Pressure> pressure(const std::string& resource, const std::string& root = "");

/// From the text of a pressure file.
std::optional<Pressure> parse_pressure(std::string_view text);

}  // namespace serval::os
