#pragma once

#include <chrono>

namespace serval {

/// All deadlines and ages are measured on the monotonic clock; only logs, the Date header
/// and times of day (programs.NAME.cron) look at the wall clock.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
/// For logs, and for what is due at a time of day: somebody may set it at any moment.
using WallTime = std::chrono::system_clock::time_point;
/// What the config can say; 0 means "none" where a limit may be switched off.
using Duration = std::chrono::milliseconds;

/// As the log and commands tell of a time that has passed.
constexpr Duration in_milliseconds(Clock::duration span) { return std::chrono::duration_cast<Duration>(span); }

}  // namespace serval
