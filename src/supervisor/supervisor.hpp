#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/readiness.hpp"
#include "config/config.hpp"
#include "supervisor/actions.hpp"
#include "supervisor/events.hpp"
#include "supervisor/log_fold.hpp"
#include "supervisor/log_reopening.hpp"
#include "supervisor/mold.hpp"
#include "supervisor/notices.hpp"
#include "supervisor/outage.hpp"
#include "supervisor/slots.hpp"
#include "supervisor/snapshot.hpp"
#include "supervisor/state.hpp"
#include "supervisor/token_bucket.hpp"
#include "supervisor/traffic.hpp"
#include "supervisor/turn.hpp"
#include "supervisor/upgrade_plan.hpp"
#include "supervisor/watch.hpp"

namespace serval::supervisor {

enum class StopEffect {
  nothing,   ///< it stops already, or that was the same signal once more
  graceful,  ///< what is in flight is answered
  at_once,   ///< what is in flight is cut
};

/// Decides what the master does. Pure: no system call, no clock, no log. Feed it every event with the time it happened;
/// perform the actions it returns, in order; call it with Tick at next_wakeup(). One thread.
///
/// The rules: `workers` slots are filled from the mold. A worker that crashes is started again, at once if it had been
/// healthy, else after a backoff. A worker that leaves gets a successor in a spare slot at once. One that has to leave
/// (its requests, age or memory, a handler that does not return) does so when its successor serves; one that hangs, or
/// is above the hard memory ceiling, is killed. A mold that dies is replaced without touching the workers. Until the
/// first worker is ready, a failing app ends the server (exit code 1); later it is only tried again, until
/// give_up_after.
class Supervisor {
 public:
  explicit Supervisor(Settings settings);
  /// Goes on where another one was: the processes that `state` names live, or have ended without having been reaped
  /// yet.
  Supervisor(Settings settings, const State& state, TimePoint now);

  std::vector<Action> on(const Event& event, TimePoint now);
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
  /// A reload under way. Until its canary is ready no worker that serves is touched.
  struct Rollout {
    enum class Step { loading, canary, rolling } step = Step::loading;
    int from = 0;
    int to = 0;
    int canary = -1;  ///< slot
    bool listeners_retired = false;
    int quarters_said = 0;  ///< of the workers that had been replaced when the log last said it
    TimePoint begun{};
    std::optional<Settings> settings{};  ///< from when it rolls
  };
  void handle(const Start&);
  void handle(const MoldStarted& event);
  void handle(const MoldNotStarted& event);
  void handle(const MoldLoaded& event);
  void handle(const MoldLoadFailed& event);
  void handle(const WorkerForked& event);
  void handle(const ForkFailed& event);
  void handle(const WorkerReady& event);
  void handle(const WorkerBootFailed& event);
  void handle(const WorkerLeaving& event);
  void handle(const WorkerDeaf& event);
  void handle(const MoldDeaf& event);
  void handle(const WorkerLeft& event);
  void handle(const WorkerSpent& event);
  void handle(const RequestTimedOut& event);
  void handle(const OnlyStuckLeft& event);
  void handle(const LookedAtWorkers& event) { watch_.on(event, turn()); }
  void handle(const AppChanged& event);
  void handle(const ScaleRequested& event);
  void handle(const ReloadRequested& event);
  void handle(const ReloadRefused& event);
  void handle(const RecycleRequested& event);
  void handle(const DrainRequested& event) { traffic_.on(event, turn()); }
  void handle(const PauseRequested& event) { traffic_.on(event, turn()); }
  void handle(const WorkerPaused& event) { traffic_.on(event, turn()); }
  void handle(const ChildExited& event);
  void handle(const StopRequested& event);
  void handle(const LogsReopened& event) { log_reopening_.on(event, turn()); }
  void handle(const MoldReopened& event) { log_reopening_.on(event, turn()); }
  void handle(const WorkerReopened& event) { log_reopening_.on(event, turn()); }
  void handle(const Reported& event) { say(event.line.level, event.line.sentence, event.line.fields); }
  void handle(const UpgradeRequested& event) { upgrade_.on(event, turn()); }
  void handle(const UpgradeChecked& event) { upgrade_.on(event, turn()); }
  void handle(const UpgradeFailed& event) { upgrade_.on(event, turn()); }
  void handle(const Tick&) {}  // what is due happens after every event

  // filling.cpp: filling the slots
  void start_what_is_missing();
  bool start_worker(Slot& slot);
  void fork_from(Mold& mold, Slot& slot, TimePoint deadline);
  /// Nullptr: until a worker ends, which deadlines see to.
  Slot* spare_slot() { return slots_.spare(settings_.slots); }
  int missing_workers() const;
  bool crash_looping() const;
  // worker_end.cpp
  void worker_exited(Slot& slot, const Exit& exit);
  void worker_retired(Slot& slot, const Exit& exit, std::vector<log::Field> fields);
  void worker_failed(Slot& slot, Cause cause, const std::string& how, std::vector<log::Field> fields);
  void announce(const Slot& slot);
  void announce_if_complete();
  static std::string restarting(Duration delay);  ///< for the log's `next`

  log::Level routine() const;

  // replacing.cpp
  void retire_the_aged();
  int free_turns() const;
  bool free_turn_for_reload() const;
  bool crowded() const;
  Slot* next_due();
  void begin_replacements();
  void retire_replaced();
  void retire_surplus();
  void close_ranks();
  void drain(Slot& slot, Cause cause);
  void give_up_waiting_at_door();

  // mold_life.cpp
  Mold& mold() { return molds_.at(current_); }
  const Mold& mold() const { return molds_.at(current_); }
  Mold* find_mold(int generation);
  void start_mold(Mold& mold);
  void mold_exited(Mold& mold, const Exit& exit);
  void say_how_it_left(const Mold& mold, pid_t pid, const Exit& exit);
  void mold_failed(Mold& mold, const std::string& why, std::vector<log::Field> fields);

  // rollout.cpp
  void begin_reload(const std::string& by, std::optional<Settings> settings = std::nullopt);
  void look_at_canary();
  void end_rollout_if_over();
  void tell_of_rollout();
  void retire_molds();
  bool is_needed(const Mold& mold) const {
    return mold.generation == current_ ||
           (rollout_ && (mold.generation == rollout_->from || mold.generation == rollout_->to));
  }
  bool is_canary(const Slot& slot) const { return rollout_ && rollout_->canary == slot.index(); }
  void make_room_for_a_generation();
  void start_canary();
  void roll_out();
  void carry_on_rollout();
  void retire_listeners_before(const Slot& last);
  bool rollout_is_over() const;
  bool on_probation(const Slot& slot) const;
  bool may_retire(const Slot& slot) const;
  TimePoint probation_over() const;
  void end_rollout(bool good, const std::string& why);
  void roll_back(const std::string& why);
  bool belongs_to_rollout(const Slot& slot) const { return rollout_ && slot.generation() == rollout_->to; }

  // upgrade.cpp
  std::string why_not_calm() const;

  // stopping.cpp: ends of all kinds
  bool leaving() const { return leaves_at_ != TimePoint::max(); }
  void leave();
  void begin_stop(int exit_code);
  void stop_mold(Mold& mold);
  void kill_everything(Cause cause);
  void kill_mold(Mold& mold);
  void kill_mold_of(const Slot& slot);
  void enforce_deadlines();
  void enforce_deadline(Slot& slot);
  void enforce_mold_deadline(Mold& mold);
  void complain_of_mold(Mold& mold);
  void finish_if_done();
  void fail_boot(std::string sentence, std::vector<log::Field> fields);
  bool one_crash_too_many(Clock::duration healthy_for);

  // notifying.cpp
  void notify(std::string state);
  void notify_reloading();
  void notify_ready();
  void send_notices();
  std::string headline() const;
  std::string rollout_step() const;
  TimePoint busy_until() const;
  TimePoint last_deadline() const;

  /// For one of the parts.
  Turn turn() { return {now_, settings_, slots_, molds_, phase_, leaving(), fold_, actions_}; }
  std::int64_t up_to(std::int64_t most);  ///< at random, both ends included
  TimePoint after(Duration limit) const;  ///< max() for a limit of 0
  void act(Action action) { actions_.push_back(std::move(action)); }
  void say(log::Level level, std::string sentence, std::vector<log::Field> fields = {}) {
    turn().say(level, std::move(sentence), std::move(fields));
  }
  TimePoint find_next_wakeup() const;

  Settings settings_;
  std::mt19937_64 random_;
  TokenBucket forks_;
  TokenBucket turns_;  ///< of workers that are replaced though nothing is wrong with them
  LogFold fold_;
  Notices notices_;
  Slots slots_;
  bool ranks_are_open_ = true;  ///< there may be slots with higher numbers than are wanted
  Molds molds_;
  int current_ = 1;            ///< the generation that workers come from
  int newest_ = 1;             ///< generation that was ever begun
  std::optional<Rollout> rollout_;
  std::string reload_failure_;  ///< of the last one; empty: it was good, or there was none
  std::optional<std::string> reload_again_;  ///< by whom a reload was asked for while a rollout was under way
  Traffic traffic_;
  LogReopening log_reopening_;
  UpgradePlan upgrade_;
  Outage outage_;
  Watch watch_;
  Phase phase_ = Phase::booting;
  TimePoint forks_held_until_ = TimePoint::min();  ///< a signal that may be a stop's has come to a worker
  bool complete_ = false;       ///< all workers have been ready together once
  TimePoint stop_asked_ = TimePoint::min();  ///< by a signal or a command, the last time that counts; min(): never
  TimePoint leaves_at_ = TimePoint::max();  ///< a stop was asked for, and until then all serve on
  bool killing_all_ = false;    ///< a second signal came
  int exit_code_ = 0;
  int crashes_in_a_row_ = 0;    ///< of anything, without a healthy worker in between
  std::map<Cause, std::uint64_t> ended_;
  TimePoint begun_{};
  TimePoint waits_for_turn_ = TimePoint::max();  ///< when turns_ lets the next one begin
  TimePoint wakeup_ = TimePoint::max();          ///< as of the last event
  // of the event in hand
  TimePoint now_{};
  std::vector<Action> actions_;
};

}  // namespace serval::supervisor
