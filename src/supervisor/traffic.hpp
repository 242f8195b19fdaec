#pragma once

#include <cstdint>
#include <string>

#include "supervisor/events.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// Whether new traffic is wanted (serval drain), and whether requests begin (serval pause).
class Traffic {
 public:
  Traffic() = default;
  explicit Traffic(const TrafficRecord& record) : state_(record) {}
  TrafficRecord record() const { return state_; }

  void on(const DrainRequested& event, const Turn& turn);
  void on(const PauseRequested& event, const Turn& turn);
  static void on(const WorkerPaused& event, const Turn& turn);
  void resume(const std::string& by, const Turn& turn);
  /// After every event.
  void settle(const Turn& turn);
  TimePoint next() const { return state_.next_reminder; }

  std::uint32_t pause() const { return state_.pause; }  ///< in force; 0: none
  /// Workers that may have a request in progress while paused.
  int in_progress(const Slots& slots) const;
  bool drained() const { return state_.drained; }  ///< no new traffic is wanted

 private:
  void pause(const std::string& by, const Turn& turn);

  TrafficRecord state_;
  bool quiet_said_ = false;  ///< that nothing is in progress any more
};

}  // namespace serval::supervisor
