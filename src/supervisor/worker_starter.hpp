#pragma once

#include <chrono>

#include "supervisor/events.hpp"
#include "supervisor/notifier.hpp"
#include "supervisor/traffic.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// A process group that is signalled, by Ctrl-C or a service manager, has workers that leave or die before the master
/// has heard of its own signal. For that long a worker that was signalled gets no successor, which the stop would have
/// to end; and one that still drains when the stop comes leaves for it.
inline constexpr auto kGroupSignal = std::chrono::milliseconds(100);

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
