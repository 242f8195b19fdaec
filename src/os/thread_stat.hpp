#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "base/time.hpp"

/// What a thread is about, seen from outside (proc(5), /proc/PID/task/TID/stat). Any user may look.
namespace serval::os {

struct ThreadStat {
  /// R runs or would like to, S sleeps, D waits for a device, T stopped, t traced, Z and X ended.
  char state = '?';
  Clock::duration cpu{};           ///< user and system time since it began, in steps of a clock tick (10 ms)
  Clock::duration children_cpu{};  ///< likewise, of children that were waited for
  pid_t parent = 0;                ///< of its process
  pid_t session = 0;               ///< likewise
};

/// None if there is no such thread (any more).
std::optional<ThreadStat> thread_stat(pid_t pid, pid_t thread);

/// User and system time of all threads of a process, and of the children that it has waited for.
std::optional<Clock::duration> process_cpu(pid_t pid);

/// By a signal or a debugger: it does nothing until it is told to go on.
bool is_stopped(pid_t pid);

/// From the file's text. `ticks_per_second`: sysconf(_SC_CLK_TCK).
std::optional<ThreadStat> parse_thread_stat(std::string_view text, long ticks_per_second);

}  // namespace serval::os
