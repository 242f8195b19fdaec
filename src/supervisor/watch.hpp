#pragma once

#include "supervisor/events.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// Looks at workers that cannot or will not speak for themselves: whether their loops turn, and how much memory they
/// have.
class Watch {
 public:
  /// First of all in each event. A suspended machine, a paused container, a stopped master: on waking up all workers
  /// look as if they hung. `wakeup`: when the event was due at the latest; max(): at no time.
  static void forgive_if_we_slept(TimePoint wakeup, const Turn& turn);

  void on(const LookedAtWorkers& event, const Turn& turn);
  /// After every event.
  void settle(const Turn& turn);
  /// max() while an answer is awaited.
  TimePoint next(const Settings& settings, const Slots& slots) const;

  /// LookAtWorkers has not been answered.
  bool looking() const { return looking_; }

 private:
  TimePoint next_measurement_{};  ///< of memory
  bool looking_ = false;
};

}  // namespace serval::supervisor
