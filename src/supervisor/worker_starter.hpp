#pragma once

#include "supervisor/events.hpp"
#include "supervisor/notifier.hpp"
#include "supervisor/traffic.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// Fills the slots: forks, what comes of them, and the lines that tell of workers that boot.
class WorkerStarter {
 public:
  WorkerStarter(const Traffic& traffic, Notifier& notifier) : traffic_(traffic), notifier_(notifier) {}

  void on(const WorkerForked& event, const Turn& turn);
  void on(const WorkerReady& event, const Turn& turn);
  static void on(const WorkerBootFailed& event, const Turn& turn);
  void on(const WorkerLeaving& event, const Turn& turn);

  /// After every event: starts what is missing, as far as forks may be had.
  void settle(const Turn& turn);
  /// When the next fork may be had, if one is wanted; max(): none is.
  TimePoint next(const World& world, TimePoint now) const;

  /// Now, whatever the rate of forks: for a generation's first worker.
  void fork_from(const Mold& mold, Slot& slot, TimePoint deadline, const Turn& turn);

 private:
  bool start(Slot& slot, const Turn& turn);
  void announce(const Slot& slot, const Turn& turn);
  void announce_if_complete(const Turn& turn);

  const Traffic& traffic_;
  Notifier& notifier_;
  TimePoint held_until_ = TimePoint::min();  ///< a signal that may be a stop's has come to a worker
};

}  // namespace serval::supervisor
