#pragma once

#include <chrono>

namespace serval::os {

/// How long the calling thread sleeps (for a lock, a socket, a disk) while it does something, as opposed to computing
/// or waiting for a CPU. Two to four system calls from begin to end. Used by one thread.
class SleepWatch {
 public:
  SleepWatch();
  /// Since construction; zero if the thread never went to sleep by itself (getrusage(2), ru_nvcsw). What it was kept
  /// from running by others counts as well once it has slept at all.
  std::chrono::nanoseconds slept() const;

 private:
  // In this order: the clock is read closest to what is watched, since a tracer makes the thread sleep in each of the
  // system calls.
  long switches_;
  std::chrono::nanoseconds cpu_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace serval::os
