#include "os/worker_cgroups.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/errno_text.hpp"
#include "os/cgroup.hpp"
#include "os/proc_file.hpp"
#include "os/unique_fd.hpp"

namespace serval::os {
namespace {

/// One write(2) each: the kernel takes a value whole or refuses it.
Result<void> put(const std::string& path, const std::string& value) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return Error{"cannot write \"" + value + "\" to " + path + ": " + errno_text()};
  }
  return {};
}

Result<void> make_group(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return Error{"cannot make the cgroup " + path + ": " + errno_text()};
  }
  return {};
}

/// systemd's mark: trusted.delegate, which only root can read, and user.delegate since its version 251.
bool is_delegated(const std::string& folder) {
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    std::array<char, 4> value{};
    if (::getxattr(folder.c_str(), name, value.data(), value.size()) == 1 && value[0] == '1') return true;
  }
  return false;
}

}  // namespace

Result<WorkerCgroups> WorkerCgroups::take(std::uint64_t memory_max, const std::string& root) {
  const auto folders = cgroup_folders(CgroupVersion::v2, "memory", root);
  if (folders.empty()) return Error{"there is no cgroup v2"};
  const std::string& own = folders.front();
  if (!is_delegated(own)) return Error{"the cgroup " + own + " is not delegated to us"};
  if ((" " + first_line(own + "/cgroup.controllers").value_or("") + " ").find(" memory ") == std::string::npos) {
    return Error{"the cgroup " + own + " has no memory controller"};
  }
  const std::string ours = own + "/serval";
  if (auto made = make_group(ours); !made) return Error{made.error()};
  const std::string self = std::to_string(::getpid());
  if (auto moved = put(ours + "/cgroup.procs", self); !moved) return Error{moved.error()};
  if (auto enabled = put(own + "/cgroup.subtree_control", "+memory"); !enabled) {
    if (put(own + "/cgroup.procs", self)) ::rmdir(ours.c_str());
    return Error{enabled.error()};
  }
  return WorkerCgroups(own, memory_max, {});
}

std::string WorkerCgroups::group(int slot) const { return folder_ + "/worker-" + std::to_string(slot); }

WorkerCgroups::Events WorkerCgroups::read_events(const std::string& group) {
  const std::string text = proc_text(group + "/memory.events").value_or("");
  return {number_of(text, "oom").value_or(0), number_of(text, "oom_kill").value_or(0)};
}

Result<void> WorkerCgroups::seat(int slot, pid_t worker) {
  const std::string path = group(slot);
  if (auto made = make_group(path); !made) return made;
  if (auto limited = put(path + "/memory.max", memory_max_ == 0 ? "max" : std::to_string(memory_max_)); !limited) {
    return limited;
  }
  seated_[slot] = read_events(path);  // something that an earlier worker left behind may have kept its group
  return put(path + "/cgroup.procs", std::to_string(worker));
}

WorkerCgroups::End WorkerCgroups::leave(int slot) {
  const auto seated = seated_.extract(slot);
  if (!seated) return {};
  const Events before = seated.mapped();
  const Events after = read_events(group(slot));
  ::rmdir(group(slot).c_str());
  return {after.oom_kill > before.oom_kill, after.oom > before.oom};
}

}  // namespace serval::os
