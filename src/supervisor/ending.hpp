#pragma once

#include <string>
#include <vector>

#include "supervisor/events.hpp"
#include "supervisor/notifier.hpp"
#include "supervisor/traffic.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

enum class StopEffect {
  nothing,   ///< it stops already, or that was the same signal once more
  graceful,  ///< what is in flight is answered
  at_once,   ///< what is in flight is cut
};

/// The end of the server: a stop that was asked for, a boot that fails, an app that is given up.
class Ending {
 public:
  Ending(Traffic& traffic, Notifier& notifier) : traffic_(traffic), notifier_(notifier) {}

  void on(const StopRequested& event, const Turn& turn);
  StopEffect effect_of(const StopRequested& event, const World& world, TimePoint now) const;

  void fail_boot(std::string sentence, std::vector<log::Field> fields, const Turn& turn);
  void give_up(const Turn& turn);
  void programs_ended(int exit_code, const Turn& turn) { begin_stop(exit_code, turn); }

  /// After every event, before all else: whether shutdown.delay is over.
  void look_at_delay(const Turn& turn);
  /// After every event, last of all: whether everything has ended.
  void finish_if_done(bool programs_gone, const Turn& turn) const;

 private:
  void leave(const Turn& turn);
  void begin_stop(int exit_code, const Turn& turn);
  void kill_everything(Cause cause, const Turn& turn);

  Traffic& traffic_;
  Notifier& notifier_;
  TimePoint asked_ = TimePoint::min();  ///< by a signal or a command, the last time that counts; min(): never
  bool killing_all_ = false;            ///< a second signal came
  int exit_code_ = 0;
};

}  // namespace serval::supervisor
