#pragma once

#include <optional>

#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// Tells the log from when clients wait because no worker serves, and until when.
class Outage {
 public:
  /// After every event while the server runs.
  void settle(const Turn& turn);
  /// When the log says so, of a server that runs; max(): nothing is to be said.
  TimePoint next() const;

 private:
  std::optional<TimePoint> since_;  ///< no worker serves
  bool said_ = false;               ///< which has been said
};

}  // namespace serval::supervisor
