#pragma once

#include <cstdint>
#include <utility>

#include "base/time.hpp"

namespace serval {

/// Keeps one log line that may be due very often to one in kQuietTime: the first is said at once, what follows is
/// summed up. Pure; not thread-safe.
class Flood {
 public:
  static constexpr auto kQuietTime = std::chrono::seconds(10);

  /// `count` more: how many there are to say now, with those that were not said before; 0: say nothing yet.
  std::uint64_t add(TimePoint now, std::uint64_t count = 1) {
    unsaid_ += count;
    return due(now);
  }
  /// Likewise without a new one, for the sum of a flood that has ebbed.
  std::uint64_t due(TimePoint now) {
    if (unsaid_ == 0 || now < quiet_until_) return 0;
    quiet_until_ = now + kQuietTime;
    return std::exchange(unsaid_, 0);
  }
  /// What add(), due() or rest() had to say could not be said: the log is full itself. It is due after the pause.
  void give_back(std::uint64_t count) { unsaid_ += count; }
  /// When due() has something to say; max(): all is said.
  TimePoint next() const { return unsaid_ == 0 ? TimePoint::max() : quiet_until_; }
  /// All that is unsaid, at the end.
  std::uint64_t rest() { return std::exchange(unsaid_, 0); }

 private:
  std::uint64_t unsaid_ = 0;
  TimePoint quiet_until_ = TimePoint::min();
};

}  // namespace serval
