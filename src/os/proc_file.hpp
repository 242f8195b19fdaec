#pragma once

#include <optional>
#include <string>

namespace serval::os {

/// The text of a file that the kernel makes (proc(5), sysfs(5), cgroups(7)), or its first 256 KiB; none if it cannot be
/// read.
std::optional<std::string> proc_text(const std::string& path);

}  // namespace serval::os
