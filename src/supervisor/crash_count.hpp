#pragma once

#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// Crashes of anything, without a healthy worker in between: when to give up (restart.give_up_after).
class CrashCount {
 public:
  CrashCount() = default;
  explicit CrashCount(int in_a_row) : in_a_row_(in_a_row) {}
  int in_a_row() const { return in_a_row_; }

  /// Another one, of something that had been healthy for so long. Health in between forgives, and a server that still
  /// serves does not give up. True: it is one too many.
  bool add(Clock::duration healthy_for, const Turn& turn) {
    const config::Restart& restart = turn.settings.restart;
    const bool others_serve = turn.slots.any([](const Slot& slot) { return slot.serving(); });
    in_a_row_ = others_serve || healthy_for >= restart.backoff_reset ? 0 : in_a_row_ + 1;
    return restart.give_up_after > 0 && in_a_row_ >= restart.give_up_after;
  }

 private:
  int in_a_row_ = 0;
};

}  // namespace serval::supervisor
