#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Where the limits of our control group stand in the file system (cgroups(7)), for os/cpus and os/memory.
namespace serval::os {

enum class CgroupVersion { v1, v2 };

/// The folders of our own cgroup and its parents up to the mount's root, own first; none if the hierarchy is not
/// mounted. `controller` ("cpu", "memory") chooses among v1's hierarchies. A container often sees its cgroup as the
/// mount's root, while /proc/self/cgroup names a path that only the host has: then the mount's root is all there is.
/// `root` stands before /proc and the mount points (tests).
std::vector<std::string> cgroup_folders(CgroupVersion version, std::string_view controller, const std::string& root);

/// A file's first line, without its end; none if it cannot be read.
std::optional<std::string> first_line(const std::string& path);

/// The number after a key in a file of lines "key number"; none if there is no such line.
std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key);

/// Our path in the hierarchy, from the text of /proc/self/cgroup.
std::optional<std::string> own_cgroup(std::string_view proc_cgroup, CgroupVersion version, std::string_view controller);

struct CgroupMount {
  std::string root;  ///< the cgroup that is shown at `point`
  std::string point;
};
/// From the text of /proc/self/mountinfo (proc(5)).
std::optional<CgroupMount> cgroup_mount(std::string_view mountinfo, CgroupVersion version, std::string_view controller);

}  // namespace serval::os
