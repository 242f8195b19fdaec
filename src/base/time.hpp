#pragma once

#include <chrono>

namespace serval {

/// All deadlines and ages are measured on the monotonic clock; only logs and the Date header look at the wall clock.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
/// What the config can say; 0 means "none" where a limit may be switched off.
using Duration = std::chrono::milliseconds;

}  // namespace serval
