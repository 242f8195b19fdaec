#pragma once

#include <functional>
#include <string>
#include <utility>

#include "supervisor/notices.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// Tells the service manager (sd_notify(3)) of changes of state, and with them how things are; when what is said is
/// decided by Notices.
class Notifier {
 public:
  /// `headline`: how things are, in one line.
  Notifier(Notices notices, std::function<std::string(const Turn&)> headline)
      : notices_(std::move(notices)), headline_(std::move(headline)) {}

  void reloading(const Turn& turn);
  /// If all workers have been ready, and no stop is under way: nothing takes STOPPING=1 back.
  void ready(const Turn& turn);
  void stopping(const Turn& turn) { notify("STOPPING=1", turn); }
  /// After every event. `busy_until`: as headline.hpp has it.
  void settle(TimePoint busy_until, const Turn& turn);
  TimePoint next() const { return notices_.next(); }

 private:
  void notify(std::string state, const Turn& turn);

  Notices notices_;
  const std::function<std::string(const Turn&)> headline_;
};

}  // namespace serval::supervisor
