#pragma once

#include <string>
#include <vector>

#include "base/readiness.hpp"
#include "supervisor/actions.hpp"
#include "supervisor/consequence.hpp"
#include "supervisor/crash_count.hpp"
#include "supervisor/ending.hpp"
#include "supervisor/events.hpp"
#include "supervisor/log_fold.hpp"
#include "supervisor/log_reopening.hpp"
#include "supervisor/mold_life.hpp"
#include "supervisor/notifier.hpp"
#include "supervisor/outage.hpp"
#include "supervisor/programs.hpp"
#include "supervisor/replacement.hpp"
#include "supervisor/rollout.hpp"
#include "supervisor/snapshot.hpp"
#include "supervisor/state.hpp"
#include "supervisor/traffic.hpp"
#include "supervisor/turn.hpp"
#include "supervisor/upgrade_plan.hpp"
#include "supervisor/watch.hpp"
#include "supervisor/worker_ends.hpp"
#include "supervisor/worker_starter.hpp"
#include "supervisor/world.hpp"

namespace serval::supervisor {

/// Decides what the master does. Pure: no system call, no clock, no log. Feed it every event with the time it happened;
/// perform the actions it returns, in order; call it with Tick at next_wakeup(). One thread.
///
/// The rules: `workers` slots are filled from the mold. A worker that crashes is started again, at once if it had been
/// healthy, else after a backoff. A worker that leaves gets a successor in a spare slot at once. One that has to leave
/// (its requests, age or memory, a handler that does not return) does so when its successor serves; one that hangs, or
/// is above the hard memory ceiling, is killed. A mold that dies is replaced without touching the workers. Until the
/// first worker is ready, a failing app ends the server (exit code 1); later it is only tried again, until
/// give_up_after.
///
/// Each part has its own matter and its own header; here is which event goes to which, and in which order they settle
/// afterwards. A part may order what those above it in the list of members do, and never one below.
class Supervisor {
 public:
  explicit Supervisor(Settings settings);
  /// Goes on where another one was: the processes that `state` names live, or have ended without having been reaped
  /// yet.
  Supervisor(Settings settings, const State& state, TimePoint now);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// `wall`: the same moment on the wall clock, which counts for schedules alone. Tick has to come as well when
  /// somebody has set that clock.
  std::vector<Action> on(const Event& event, TimePoint now, WallTime wall = {});
  /// When Tick is due; max(): only an event can change anything.
  TimePoint next_wakeup() const { return wakeup_; }
  Snapshot snapshot() const;
  /// As far as it is decided here.
  Readiness readiness() const;
  /// What such a request would do if it came now: a second one is taken for lost patience.
  StopEffect effect_of(const StopRequested& event, TimePoint now) const;

  /// An upgrade was asked for, its check went well, and nothing is under way: the successor may take over from state().
  bool may_upgrade_now() const;
  State state() const;
  /// Log lines that are being held back; for the end.
  std::vector<Log> folded();

 private:
  Supervisor(Settings settings, const State& before);

  Consequence dispatch(const Event& event, const Turn& turn);
  Consequence on_exit(const ChildExited& event, const Turn& turn);
  void see_to(const Consequence& consequence, const Turn& turn);
  void settle(const Turn& turn);
  void settle_programs(const Turn& turn);
  std::string why_not_calm() const;
  TimePoint find_next_wakeup(TimePoint now) const;

  World world_;
  LogFold fold_;
  std::vector<Action> actions_;          ///< of the event in hand
  TimePoint now_{};                      ///< of the last event
  TimePoint wakeup_ = TimePoint::max();  ///< as of the last event
  CrashCount crashes_;
  Traffic traffic_;
  Notifier notifier_;
  WorkerStarter starter_;
  WorkerEnds worker_ends_;
  MoldLife mold_life_;
  Replacement replacement_;
  Rollout rollout_;
  Ending ending_;
  LogReopening log_reopening_;
  UpgradePlan upgrade_;
  Outage outage_;
  Watch watch_;
  Programs programs_;
};

}  // namespace serval::supervisor
