#pragma once

#include <atomic>
#include <chrono>

namespace serval::worker {

/// What the handlers of the app have been like lately, and so where the next one should run: on the thread that has the
/// loop, which holds up all other connections of the worker meanwhile, or in the pool, which costs a hand-over. Any
/// thread; what two write at the same moment may get lost, since this is only an estimate.
class HandlerProfile {
 public:
  /// A handler kept the loop for so long that it was taken from it, or would have.
  void record_overrun();
  /// It did not.
  void record_quick();
  /// Of a handler that was looked at: it slept for so long, none if it only computed.
  void record_sleep(std::chrono::nanoseconds time);

  bool use_pool() const;
  /// None of late has kept the loop or slept.
  bool calm() const;

 private:
  std::atomic<int> slowness_{0};  // rises with handlers that overstay, falls with quick ones
  std::atomic<int> sleep_us_{0};  // the mean of those that were looked at, late ones counting most
};

}  // namespace serval::worker
