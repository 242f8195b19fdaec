#pragma once

#include "supervisor/events.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// The round in which the logs are reopened: every process swaps its files and says so.
class LogReopening {
 public:
  void on(const LogsReopened&, const Turn& turn);
  void on(const MoldReopened& event, const Turn& turn);
  void on(const WorkerReopened& event, const Turn& turn);
  /// After every event.
  void settle(const Turn& turn);

  bool under_way() const { return under_way_; }

 private:
  bool under_way_ = false;
  int processes_ = 0;  ///< that have swapped their logs in this round
};

}  // namespace serval::supervisor
