#pragma once

#include <sys/types.h>

#include <vector>

/// Which processes there are, from /proc (proc(5)). Snapshots: what is listed may have ended by now.
namespace serval::os {

/// All that we may see, in no order.
std::vector<pid_t> all_processes();

/// Children of a process, re-parented ones included, in no order: /proc/PID/task/*/children, or where the kernel lacks
/// that, the parents named in /proc/*/stat.
std::vector<pid_t> children_of(pid_t pid);
/// Ours; also where /proc is that of another PID namespace.
std::vector<pid_t> own_children();

}  // namespace serval::os
