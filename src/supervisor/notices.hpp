#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace serval::supervisor {

/// What a service manager (sd_notify(3)) is told besides the changes of state: that we live, that something takes its
/// time, and how things are. Only ever from the supervision loop: a master that stands still falls silent, and is found
/// out. Pure.
class Notices {
 public:
  /// `told`: status and extensions are wanted. `watchdog`: how often a sign of life is expected at least; 0: not at
  /// all.
  Notices(bool told, std::chrono::microseconds watchdog) : told_(told), watchdog_(watchdog) {}

  bool told() const { return told_; }
  /// `state` with the status beside it, which thereby has been said.
  std::string with_status(std::string state, const std::string& status, TimePoint now);
  /// What to send now. `busy_until`: when what is under way must have ended; not after `now`: nothing is, or it is
  /// overdue.
  std::vector<std::string> due(const std::string& status, TimePoint busy_until, TimePoint now);
  /// When something is due at the latest, if nothing else happens.
  TimePoint next() const;

 private:
  bool told_;
  std::chrono::microseconds watchdog_;
  TimePoint next_beat_{};  ///< at once
  std::string said_;       ///< the last status
  TimePoint said_at_ = TimePoint::min();
  bool unsaid_ = false;    ///< it has changed since
  TimePoint next_extension_ = TimePoint::min();  ///< min(): nothing takes its time
};

}  // namespace serval::supervisor
