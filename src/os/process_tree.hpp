#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

/// Which processes a program of ours has started, directly or not, also those whose parents have ended: they are our
/// children then (os/fork.hpp: become_subreaper).
namespace serval::os {

/// All processes of the machine, from /proc. A snapshot: what is listed may have ended by now.
class ProcessTree {
 public:
  static ProcessTree read();

  /// `leader` (if it lives, which is its own session's leader) and all below it; then what it has left behind.
  std::vector<pid_t> all_of(pid_t leader) const;

  /// What is in the session of `leader`, or names it by the variable, and what is below that: for a process that is not
  /// the parent of any of it.
  std::vector<pid_t> remains_of(pid_t leader) const;

 private:
  struct Process {
    pid_t parent = 0;
    pid_t session = 0;
    bool ended = false;  ///< a zombie
  };
  void add_below(pid_t root, std::vector<pid_t>& found) const;

  std::map<pid_t, Process> processes_;
  std::multimap<pid_t, pid_t> children_;
};

/// The variable by which a process is known that has made a session of its own: its value is the leader's pid.
inline constexpr const char* kExecPidVariable = "SERVAL_EXEC_PID";

/// Children of ours that a program has left behind, which was `leader`: those in its session, and those that have its
/// pid in the variable. Cheap if there are none.
std::vector<pid_t> left_behind(pid_t leader);

}  // namespace serval::os
