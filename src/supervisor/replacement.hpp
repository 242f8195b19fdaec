#pragma once

#include <algorithm>

#include "supervisor/events.hpp"
#include "supervisor/token_bucket.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// Workers that have to go while the server goes on: which they are, whose turn it is, and that the successor serves
/// first.
class Replacement {
 public:
  explicit Replacement(const Settings& settings)
      : turns_(settings.limits.max_recycling, std::max(1, settings.forks_per_second / 2)) {}

  static void on(const WorkerSpent& event, const Turn& turn);
  static void on(const WorkerDeaf& event, const Turn& turn);
  static void on(const RequestTimedOut& event, const Turn& turn);
  static void on(const OnlyStuckLeft& event, const Turn& turn);
  static void on(const RecycleRequested& event, const Turn& turn);
  static void on(const WorkerLeft& event, const Turn& turn);

  /// After every event while the server runs.
  void settle(const Turn& turn);
  static void give_up_waiting_at_door(const Turn& turn);
  /// When the next turn may begin; max(): none waits for one.
  TimePoint next() const { return waits_for_turn_; }

 private:
  void begin(const Turn& turn);
  static void retire_the_aged(const Turn& turn);
  static void retire_replaced(const Turn& turn);

  TokenBucket turns_;  ///< of workers that are replaced though nothing is wrong with them
  TimePoint waits_for_turn_ = TimePoint::max();  ///< when turns_ lets the next one begin
};

}  // namespace serval::supervisor
