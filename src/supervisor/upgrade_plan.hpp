#pragma once

#include <optional>
#include <string>

#include "supervisor/events.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// serval replaces itself by another version of it, in the same process. The shell does that; here is decided when it
/// may.
class UpgradePlan {
 public:
  void on(const UpgradeRequested& event, const Turn& turn);
  void on(const UpgradeChecked& event, const Turn& turn);
  void on(const UpgradeFailed& event, const Turn& turn) { refuse(event.why, turn); }
  /// After every event. `busy_with`: what is under way that only this process knows of; empty: this is a calm moment.
  void settle(const std::string& busy_with, const Turn& turn);
  TimePoint next() const { return asked_ ? asked_->deadline : TimePoint::max(); }

  /// It was asked for, and its check went well.
  bool checked() const { return asked_ && asked_->checked; }

 private:
  struct Asked {
    bool checked = false;
    TimePoint deadline{};
  };

  void refuse(const std::string& why, const Turn& turn);

  std::optional<Asked> asked_;
};

}  // namespace serval::supervisor
