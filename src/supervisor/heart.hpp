#pragma once

#include "base/time.hpp"

namespace serval::supervisor {

/// What a look at a worker's I/O loop found.
struct Pulse {
  TimePoint beat;             ///< when the loop last said that it turns
  /// Of the thread that has the loop, as in /proc/PID/task/TID/stat (proc(5)); 0: not looked at, or gone.
  char state = 0;
  Clock::duration cpu{};      ///< that this thread has got in its life
};

/// Judges from looks at its loop whether a worker still lives, while it serves and while it drains. What makes it slow from outside is not held against it:
/// waiting for a CPU, a debugger, a suspended machine. Pure.
class Heart {
 public:
  enum class Verdict {
    beats,
    held_up,  ///< silent for too long, but it cannot help it, or that is not sure yet: look again soon
    hung,
  };

  /// The worker is ready; counted from now. `timeout` 0: it is never found hung.
  void start(TimePoint now, Duration timeout);
  Verdict judge(const Pulse& pulse, TimePoint now);
  /// No look came, though it was time: for as long as that lasted, no process may have run. Silence is counted anew.
  void forgive(TimePoint now);
  /// There was nothing to look at.
  void postpone(TimePoint now);

  /// When the next look is due; max(): never.
  TimePoint next_look() const { return next_look_; }
  Clock::duration silent_for(TimePoint now) const { return now - heard_; }
  /// Silent for twice as long as it may be. The supervisor ends it long before; this is for when that has not helped.
  bool hangs(TimePoint now) const { return timeout_ > Duration::zero() && silent_for(now) >= 2 * timeout_; }

 private:
  Verdict suspect(const Pulse& pulse);

  Duration timeout_{};
  TimePoint heard_{};            ///< the last beat, or when we began to count
  int silent_looks_ = 0;         ///< in a row
  int asleep_looks_ = 0;         ///< in a row, without having run in between
  Clock::duration cpu_first_{};  ///< at the first of the silent looks
  Clock::duration cpu_last_{};
  TimePoint next_look_ = TimePoint::max();
};

}  // namespace serval::supervisor
