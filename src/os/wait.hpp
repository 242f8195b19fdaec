#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

/// The one place where children are reaped (waitpid(2)).
namespace serval::os {

/// How a child ended.
struct ChildExit {
  pid_t pid = -1;
  bool signaled = false;
  int code = 0;       ///< the exit code, or the signal's number if `signaled`
  bool core = false;  ///< a core file was written
  std::chrono::microseconds cpu{0};  ///< that it has used, with the children that it has waited for

  bool clean() const { return !signaled && code == 0; }
  /// "exit code 1", "SIGSEGV", "SIGABRT (core dumped)".
  std::string text() const;
};

/// One ended child, whichever it is (also one that was only re-parented to us); none if no child has ended. Never
/// blocks. Call until it returns none: SIGCHLDs merge.
std::optional<ChildExit> reap_one();

/// Whether `pid` is a child of ours that has not been reaped. Until it is, no other process can get that pid
/// (waitid(2), WNOWAIT).
bool is_child(pid_t pid);

/// kill(2), of a child of ours alone. False: it is none (any more), and nothing has been signalled.
bool kill_child(pid_t pid, int signal);

/// Waits for this one child to end. None if it is not our child, or was reaped already.
std::optional<ChildExit> wait_for(pid_t pid);

}  // namespace serval::os
