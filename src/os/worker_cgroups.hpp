#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace serval::os {

/// Memory ceilings that the kernel keeps, one cgroup for each worker, below our own (version 2, cgroups(7)). Only where
/// that one was delegated to us: systemd marks it so for services with Delegate= (systemd.resource-control(5));
/// elsewhere the tree is another program's.
class WorkerCgroups {
 public:
  /// Moves this process into a group of its own, "serval", since only a group without processes can have limited ones
  /// below it, and turns the memory controller on. The error says why that cannot be; nothing has changed then.
  /// Children that exist already stay where they are. `root` stands before /proc and the mount points (tests).
  static Result<WorkerCgroups> take(std::uint64_t memory_max, const std::string& root = "");

  /// What another instance in this process (before an exec) has taken goes on: its folder, and what it had counted when
  /// each worker came.
  struct Events {
    std::uint64_t oom = 0;
    std::uint64_t oom_kill = 0;
  };
  WorkerCgroups(std::string folder, std::uint64_t memory_max, std::map<int, Events> seated)
      : folder_(std::move(folder)), memory_max_(memory_max), seated_(std::move(seated)) {}
  const std::string& folder() const { return folder_; }
  const std::map<int, Events>& seated() const { return seated_; }

  /// For workers that come from now on; 0: none.
  void limit(std::uint64_t memory_max) { memory_max_ = memory_max; }

  /// Puts a worker into the group of its slot. What it has used before counts elsewhere.
  Result<void> seat(int slot, pid_t worker);

  /// How the worker's group saw it end; the group is removed.
  struct End {
    bool killed = false;      ///< the kernel's OOM killer had it
    bool over_max = false;    ///< because it was above the group's own limit
  };
  End leave(int slot);

 private:
  std::string group(int slot) const;

  static Events read_events(const std::string& group);

  std::string folder_;
  std::uint64_t memory_max_;
  std::map<int, Events> seated_;  ///< by slot: what its group had counted before
};

}  // namespace serval::os
