#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Why the kernel makes no further thread or process: clone(2) fails with the same EAGAIN for all limits.
namespace serval::os {

struct TaskLimits {
  std::optional<std::uint64_t> of_user;    ///< RLIMIT_NPROC; none: unlimited, or we are root, which it does not bind
  std::optional<std::uint64_t> of_system;  ///< kernel.threads-max
  struct Cgroup {
    std::string folder;
    std::uint64_t max = 0;
    std::uint64_t now = 0;
  };
  std::vector<Cgroup> cgroups;  ///< those with a limit, own first
};

/// `root` stands before /proc and the mount points (tests).
TaskLimits task_limits(const std::string& root = {});

/// The limit that is reached, or else those that may be: "pids.max of /sys/fs/cgroup/x is 40 (TasksMax= in systemd),
/// and 40 tasks run".
std::string why_no_more_tasks(const TaskLimits& limits);

}  // namespace serval::os
