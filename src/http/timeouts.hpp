#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/time.hpp"

/// How long a client may take, as functions of what happened so far. Pure; times on the monotonic clock.
namespace serval::http {

/// Copies of the [request] settings of the same names; 0: no limit.
struct Timeouts {
  Duration header{10'000};
  Duration body{30'000};
  std::size_t body_min_rate = 512;  ///< bytes per second, on average after kRateGrace
  Duration write{30'000};
  Duration keep_alive{75'000};      ///< 0: the connection closes after each answer
  int keep_alive_requests = 0;
};

/// `after` a duration of which 0 means "none".
inline TimePoint deadline_after(TimePoint from, Duration after) {
  return after.count() == 0 ? TimePoint::max() : from + after;
}

/// How a body has come in so far.
struct BodyProgress {
  TimePoint begin;      ///< the head was complete
  TimePoint last_read;  ///< the last byte of the body so far came (begin, if none)
  std::uint64_t received = 0;
};

/// When to give up on a body unless more of it comes: [request] body_timeout after the last byte, or as soon as its
/// average rate over more than kRateGrace has fallen below body_min_rate, whichever is sooner. Trickling bytes moves
/// the first and not the second.
inline constexpr Duration kRateGrace{5000};
inline TimePoint body_deadline(const BodyProgress& body, const Timeouts& limits) {
  const TimePoint silence = deadline_after(body.last_read, limits.body);
  if (limits.body_min_rate == 0) return silence;
  const std::chrono::duration<double> paid_for(static_cast<double>(body.received) /
                                               static_cast<double>(limits.body_min_rate));
  const TimePoint too_slow =
      body.begin + std::max<Clock::duration>(kRateGrace, std::chrono::duration_cast<Clock::duration>(paid_for));
  return std::min(silence, too_slow);
}

}  // namespace serval::http
