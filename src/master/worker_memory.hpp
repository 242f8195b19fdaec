#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "master/handover.hpp"
#include "master/measure.hpp"
#include "os/oom.hpp"
#include "os/wait.hpp"
#include "os/worker_cgroups.hpp"

namespace serval::master {

/// What memory had to do with the end of a worker.
struct MemoryVerdict {
  bool oom = false;         ///< the kernel killed it for want of memory
  bool above_hard = false;  ///< the kernel killed it because it was above the hard ceiling
};
/// `oom_killer_was_here`: it has killed a process of ours since the last time that one of them ended so. `group`: how
/// the worker's cgroup saw it. Pure.
MemoryVerdict memory_verdict(const os::ChildExit& exit, bool oom_killer_was_here, const os::WorkerCgroups::End& group);

/// The memory of the workers: measures it, has the kernel keep the hard ceiling where it can, and knows which
/// workers it has killed. One thread.
class WorkerMemory {
 public:
  explicit WorkerMemory(const config::Memory& memory);

  /// Has the kernel keep memory.hard from here on, if there is one and that can be had.
  void take_cgroups();
  /// Goes on with those that an earlier version of serval in this process has taken.
  void resume(const CgroupsRecord& record);
  CgroupsRecord record() const;
  /// After a reload.
  void use(const config::Memory& memory);

  /// As Measure::look().
  std::optional<std::uint64_t> look(pid_t worker) { return measure_.look(worker); }

  /// A worker has come; `known_as`: its slot's number for users. Without a cgroup it is watched by looks alone.
  void add(int slot, int known_as, pid_t pid);
  /// It has ended.
  MemoryVerdict remove(int slot, const os::ChildExit& exit);

 private:
  bool oom_killer_was_here();

  config::Memory memory_;
  Measure measure_;
  os::OomCounter oom_;
  std::uint64_t oom_kills_ = 0;               ///< that we know of
  std::optional<os::WorkerCgroups> cgroups_;  ///< none: not delegated, or no hard ceiling
};

}  // namespace serval::master
