#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"

namespace serval::os {

/// The whole text of a file that the kernel makes (proc(5), sysfs(5), cgroups(7)). The error says which file, and why:
/// some fail when they are opened, others not before they are read.
Result<std::string> read_proc(const std::string& path);
/// The same where it does not matter why there is none.
std::optional<std::string> proc_text(const std::string& path);

}  // namespace serval::os
