#include "os/sleep_watch.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>

namespace serval::os {

namespace {

/// Those that the thread asked for itself: it went to sleep.
long voluntary_switches() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

SleepWatch::SleepWatch()
    : switches_(voluntary_switches()), cpu_(cpu_time()), begin_(std::chrono::steady_clock::now()) {}

std::chrono::nanoseconds SleepWatch::slept() const {
  const std::chrono::nanoseconds all = std::chrono::steady_clock::now() - begin_;
  if (voluntary_switches() == switches_) return {};
  return std::max(all - (cpu_time() - cpu_), std::chrono::nanoseconds{});
}

}  // namespace serval::os
