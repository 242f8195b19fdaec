#pragma once

#include "base/time.hpp"

namespace serval::supervisor {

/// Bounds how often something may happen: `burst` at once, `per_second` on average.
class TokenBucket {
 public:
  TokenBucket(int burst, int per_second);

  /// Takes a token if there is one.
  bool take(TimePoint now);
  /// When take() will succeed: `now` if it would at once.
  TimePoint available_at(TimePoint now) const;

 private:
  Clock::duration interval_;  ///< one token's worth of time
  Clock::duration depth_;     ///< burst x interval
  /// The bucket as one point in time (the generic cell rate algorithm): it is full when this is `depth_` ago, empty
  /// when it is now.
  TimePoint spent_until_ = TimePoint::min();
};

}  // namespace serval::supervisor
