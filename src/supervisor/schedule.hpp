#pragma once

#include <cstdint>
#include <string>

#include "config/config.hpp"
#include "config/cron_times.hpp"
#include "supervisor/program_state.hpp"

/// When runs of a program with a schedule are due. Pure.
namespace serval::supervisor {

/// One moment on both clocks. Only the first one goes on whatever somebody does.
struct Moment {
  TimePoint steady{};
  WallTime wall{};
  config::OffsetAt offset_at = config::no_offset;
};

/// From here on; what was due before does not count.
void begin_schedule(ScheduleRecord& schedule, const config::Program& program, const Moment& moment);

struct Due {
  bool run = false;
  std::int64_t missed = 0;  ///< that were due besides, too long ago
};
/// What has become due since it was last asked for.
Due take_due(ScheduleRecord& schedule, const config::Program& program, const Moment& moment);

/// When take_due() finds the next one, as far as nobody sets the clock; max(): never.
TimePoint next_due(const ScheduleRecord& schedule, const config::Program& program, const Moment& moment);

/// "every 5m", or what cron says.
std::string rule_of(const config::Program& program);

/// As status and the log show a time on the wall clock.
std::int64_t in_unix_ms(WallTime wall);

}  // namespace serval::supervisor
