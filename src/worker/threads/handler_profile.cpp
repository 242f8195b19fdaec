#include "worker/threads/handler_profile.hpp"

#include <algorithm>

namespace serval::worker {

namespace {

/// One handler that overstays outweighs this many quick ones; above the threshold requests go to the pool.
constexpr int kOverstayWeight = 8;
constexpr int kTooSlow = 24;
constexpr int kSlownessMax = 48;

/// Handlers that sleep for longer than this on average had better do it beside each other: a hand-over takes some ten
/// microseconds.
constexpr int kTooSleepy = 50;
/// One that sleeps for longer counts as this: it alone must not send all others to the pool.
constexpr int kMaxSleepCounted = 300;
/// The mean follows one out of so many handlers.
constexpr int kMemory = 8;

}  // namespace

void HandlerProfile::record_overrun() {
  const int slowness = slowness_.load(std::memory_order_relaxed);
  slowness_.store(std::min(slowness + kOverstayWeight, kSlownessMax), std::memory_order_relaxed);
}

void HandlerProfile::record_quick() {
  if (const int slowness = slowness_.load(std::memory_order_relaxed); slowness > 0)
    slowness_.store(slowness - 1, std::memory_order_relaxed);
}

void HandlerProfile::record_sleep(std::chrono::nanoseconds time) {
  const auto us =
      std::min<long long>(std::chrono::duration_cast<std::chrono::microseconds>(time).count(), kMaxSleepCounted);
  const int mean = sleep_us_.load(std::memory_order_relaxed);
  if (us == 0 && mean == 0) return;
  sleep_us_.store((mean * (kMemory - 1) + static_cast<int>(us)) / kMemory, std::memory_order_relaxed);
}

bool HandlerProfile::calm() const {
  return slowness_.load(std::memory_order_relaxed) == 0 && sleep_us_.load(std::memory_order_relaxed) == 0;
}

bool HandlerProfile::use_pool() const {
  return slowness_.load(std::memory_order_relaxed) >= kTooSlow ||
         sleep_us_.load(std::memory_order_relaxed) >= kTooSleepy;
}

}  // namespace serval::worker
