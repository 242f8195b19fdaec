#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "master/children.hpp"
#include "master/generations.hpp"
#include "master/task_forks.hpp"
#include "master/tell.hpp"
#include "master/worker_memory.hpp"
#include "master/worker_profiles.hpp"
#include "master/worker_stacks.hpp"
#include "os/wait.hpp"
#include "scoreboard/memory.hpp"
#include "scoreboard/reader.hpp"
#include "supervisor/events.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::master {

/// In the supervisor's words. Pure.
supervisor::Exit exit_of(const os::ChildExit& exit);
/// Those of a worker's requests that were lost with it: a request whose deadline has passed has had its answer. Pure.
std::vector<supervisor::LostRequest> lost_requests(const std::vector<scoreboard::RequestInProgress>& requests,
                                                   TimePoint now);

/// Molds and workers that have ended: hears their last words, finds out what they died of and what was lost with them,
/// and only then tells the supervisor. Borrows all; one thread.
class Exits {
 public:
  struct Parts {
    Children& children;
    Generations& generations;
    TaskForks& tasks;
    WorkerStacks& stacks;
    WorkerProfiles& profiles;
    WorkerMemory& memory;
    scoreboard::Memory& scoreboard;
    const supervisor::Supervisor& supervisor;
  };
  Exits(Parts parts, Tell tell) : parts_(parts), tell_(std::move(tell)) {}

  /// Both are among the children, and have been reaped.
  void mold_exited(int generation, const os::ChildExit& exit);
  void worker_exited(int slot, const os::ChildExit& exit);

 private:
  void tell(pid_t pid, supervisor::Exit exit);

  const Parts parts_;
  const Tell tell_;
};

}  // namespace serval::master
