#include "os/task_limits.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "os/cgroup.hpp"

namespace serval::os {
namespace {

/// None for "max".
std::optional<std::uint64_t> number_in(const std::string& path) {
  const auto line = first_line(path);
  if (!line || line->empty() || line->find_first_not_of("0123456789") != std::string::npos || line->size() > 18) {
    return std::nullopt;
  }
  return std::stoull(*line);
}

std::optional<std::uint64_t> limit_of_user() {
  rlimit limit{};
  if (::geteuid() == 0 || ::getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::nullopt;
  }
  return limit.rlim_cur;
}

std::string text_of(const TaskLimits::Cgroup& cgroup) {
  return "pids.max of " + cgroup.folder + " is " + std::to_string(cgroup.max) + " (TasksMax= in systemd), and " +
         std::to_string(cgroup.now) + " tasks run";
}

}  // namespace

TaskLimits task_limits(const std::string& root) {
  TaskLimits limits{
      .of_user = limit_of_user(), .of_system = number_in(root + "/proc/sys/kernel/threads-max"), .cgroups = {}};
  for (const CgroupVersion version : {CgroupVersion::v2, CgroupVersion::v1}) {
    for (const std::string& folder : cgroup_folders(version, "pids", root)) {
      const auto most = number_in(folder + "/pids.max");
      const auto now = number_in(folder + "/pids.current");
      if (most && now) limits.cgroups.push_back({folder, *most, *now});
    }
  }
  return limits;
}

std::string why_no_more_tasks(const TaskLimits& limits) {
  for (const TaskLimits::Cgroup& cgroup : limits.cgroups) {
    if (cgroup.now >= cgroup.max) return text_of(cgroup);
  }
  std::string why;
  const auto add = [&why](const std::string& text) { why += (why.empty() ? "" : ", or ") + text; };
  if (limits.of_user) {
    add("the user's limit of processes is reached, " + std::to_string(*limits.of_user) + " (ulimit -u)");
  }
  // One that has just ended may have made room.
  for (const TaskLimits::Cgroup& cgroup : limits.cgroups) add(text_of(cgroup));
  if (why.empty() && limits.of_system) add("kernel.threads-max is " + std::to_string(*limits.of_system));
  add("there is no memory for it");
  return why;
}

}  // namespace serval::os
