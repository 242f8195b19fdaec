#include "supervisor/token_bucket.hpp"

#include <algorithm>

namespace serval::supervisor {

TokenBucket::TokenBucket(int burst, int per_second)
    : interval_(Clock::duration(std::chrono::seconds(1)) / per_second), depth_(interval_ * burst) {}

bool TokenBucket::take(TimePoint now) {
  if (available_at(now) > now) return false;
  spent_until_ = std::max(spent_until_, now - depth_) + interval_;
  return true;
}

TimePoint TokenBucket::available_at(TimePoint now) const {
  return std::max(now, std::max(spent_until_, now - depth_) + interval_);
}

}  // namespace serval::supervisor
