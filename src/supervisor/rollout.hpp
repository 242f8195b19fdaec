#pragma once

#include <optional>
#include <string>
#include <utility>

#include "supervisor/events.hpp"
#include "supervisor/notifier.hpp"
#include "supervisor/turn.hpp"
#include "supervisor/worker_starter.hpp"

namespace serval::supervisor {

/// A reload: the next generation loads and boots one worker beside all that serve; with reload.watch its figures are
/// compared with those of the old generation for a while; then the others follow, each ahead of the one it replaces.
/// What fails before that leaves the old generation as it was; what dies during it brings the old one back. The one
/// under way is World::rollout. The old mold may stay for a while (reload.keep), for a rollback: a reload without
/// anything to load.
class Rollout {
 public:
  /// `failure`: of the last one, before an upgrade; `counts`: of all until then.
  Rollout(WorkerStarter& starter, Notifier& notifier, std::string failure, const ReloadCounts& counts)
      : starter_(starter), notifier_(notifier), failure_(std::move(failure)), counts_(counts) {}

  void on(const ReloadRequested& event, const Turn& turn);
  void on(const RollbackRequested& event, const Turn& turn);
  void on(const ReloadCalledOff& event, const Turn& turn);
  void on(const ReloadRefused& event, const Turn& turn);
  void on(const AppChanged& event, const Turn& turn);
  void on(const GenerationFigures& event, const Turn& turn);
  /// It has failed before any worker was replaced.
  void fail(const std::string& why, const Turn& turn) { end(false, why, turn); }
  /// The new generation's workers are replaced by ones of the old, if that can still fork.
  void roll_back(const std::string& why, const Turn& turn);

  /// After every event while the server runs, before workers are replaced: what the event has made possible.
  void carry_on(const Turn& turn);
  /// Likewise, after that.
  void settle(const Turn& turn);

  /// When the figures of a watch are due, or the generation before has been kept for long enough.
  static TimePoint next(const World& world);

  /// Why the last one failed; empty: it went well, or there was none.
  const std::string& failure() const { return failure_; }
  const ReloadCounts& counts() const { return counts_; }

 private:
  void take_over(const ReloadRequested& event, const Turn& turn);
  void begin(const std::string& by, std::optional<Settings> settings, const Turn& turn);
  void start_canary(const Turn& turn);
  bool add_canary(const Turn& turn);
  void look_at_canaries(const Turn& turn);
  void begin_watch(const Turn& turn);
  void keep_watching(const Turn& turn);
  static void dismiss_canary(Slot& canary, const Turn& turn);
  void end(bool good, const std::string& why, const Turn& turn);

  WorkerStarter& starter_;
  Notifier& notifier_;
  std::string failure_;
  ReloadCounts counts_;
  std::optional<std::string> again_by_;  ///< by whom another was asked for while one was under way
};

}  // namespace serval::supervisor
