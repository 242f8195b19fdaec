#pragma once

#include <optional>
#include <string>
#include <string_view>

/// How many CPUs we may use, not how many the host has (sched_getaffinity(2), cgroups(7)).
namespace serval::os {

struct Cpus {
  int usable = 1;   ///< at least 1
  std::string why;  ///< "8 CPUs", "2 of 8 CPUs by affinity", "2 of 8 CPUs by cgroup quota 1.5"
};

/// The smaller of affinity and cgroup quota; a quota is rounded up, so 0.5 CPU gives 1.
/// `root` stands before /proc and /sys (tests); the affinity is always the caller's.
Cpus usable_cpus(const std::string& root = "");

/// CPUs in cgroup v2's cpu.max, "150000 100000" -> 1.5; none for "max 100000" or what is no such text.
std::optional<double> parse_cpu_max(std::string_view text);
/// CPUs in cgroup v1's cpu.cfs_quota_us and cpu.cfs_period_us; none for a quota of -1.
std::optional<double> parse_cfs(std::string_view quota, std::string_view period);
/// The decision alone. `present`: CPUs of the host, `affine`: in our mask.
Cpus decide_cpus(int present, int affine, std::optional<double> quota);

}  // namespace serval::os
