#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/cron.hpp"

/// When the times of a Cron come. Pure: the time zone is a function. Moments are seconds since 1970.
namespace serval::config {

/// How far the clocks of a time zone are ahead of UTC at that moment, in seconds (os/time_zone).
using OffsetAt = std::int64_t (*)(std::int64_t moment);
/// UTC's.
std::int64_t no_offset(std::int64_t moment);

/// The first moment after `after`. What falls into the gap of a clock that is put forward comes at its end; what comes
/// twice as a clock is put back counts the first time, unless the hour is any: then time goes on as it does. None: not
/// within the years that a leap day takes.
std::optional<std::int64_t> next_after(const Cron& cron, std::int64_t after, OffsetAt offset_at);

/// "2026-11-28 15:00:00 +01:00", as its clocks show it.
std::string format_moment(std::int64_t moment, OffsetAt offset_at);

}  // namespace serval::config
