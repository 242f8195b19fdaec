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

SleepWatch::SleepWatch() : begin_(std::chrono::steady_clock::now()), cpu_(cpu_time()), switches_(voluntary_switches()) {}

std::chrono::nanoseconds SleepWatch::slept() const {
  if (voluntary_switches() == switches_) return {};
  const std::chrono::nanoseconds all = std::chrono::steady_clock::now() - begin_;
  return std::max(all - (cpu_time() - cpu_), std::chrono::nanoseconds{});
}

}  // namespace serval::os
