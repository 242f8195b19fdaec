#pragma once

#include <cstdint>
#include <utility>
#include <vector>

/// What a process takes upon itself before it becomes something else. Nothing in here allocates: it may stand between
/// fork and exec. False: errno says why.
namespace serval::os {

/// A resource (getrlimit(2)) and its limit, soft and hard at once.
using Limits = std::vector<std::pair<int, std::uint64_t>>;

bool take_limits(const Limits& limits);
/// nice(2); 0: nothing.
bool add_nice(int more);

}  // namespace serval::os
