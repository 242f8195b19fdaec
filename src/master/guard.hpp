#pragma once

#include <sys/types.h>

#include <set>

#include "base/time.hpp"
#include "master/handover.hpp"
#include "master/reaper.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// `serval guard`, a process that outlives a master which is killed, for a moment: what programs have started would go
/// on without anybody to stop it. It knows their pids by a pipe, and acts when that ends. Started with the first
/// program, and again when somebody has killed it.
class Guard {
 public:
  explicit Guard(Reaper& reaper) : reaper_(reaper) {}
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// A program lives, or has ended. Without a guard (the log says why) programs run all the same.
  void add(pid_t leader);
  void remove(pid_t leader);
  /// All programs have ended: it leaves.
  void end();

  void record(Handover& handover) const;
  void resume(const Handover& handover);

 private:
  void start();
  void await();
  void say(char what, pid_t leader);

  Reaper& reaper_;
  std::set<pid_t> leaders_;
  pid_t pid_ = 0;
  TimePoint started_{};
  UniqueFd pipe_;
};

}  // namespace serval::master
