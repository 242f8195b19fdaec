#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/supervisor.hpp"

/// Scripts for the supervisor: `s.at(10s, ready(0)).expect({"fork worker 1"})`. Times are since the start of the
/// script.
namespace serval::supervisor {

/// An action in a few words: "start mold 1", "fork worker 0", "drain worker 0", "kill 100 by 9", "refuse", "notify
/// READY=1", "finish 0". Log lines: "error: worker exited worker=worker[0] signal=SIGSEGV".
std::string text_of(const Action& action);

class Script {
 public:
  explicit Script(Settings settings) : supervisor_(std::make_unique<Supervisor>(settings)) {}
  /// Goes on from `before` at `time` of its script.
  Script(Settings settings, const Script& before, Clock::duration time)
      : supervisor_(std::make_unique<Supervisor>(settings, before.supervisor_->state(), TimePoint{} + time)) {}

  struct Step {
    std::vector<std::string> actions;  ///< without the log lines
    std::vector<std::string> lines;
    bool inspects = false;             ///< asks whether the app's file has changed

    /// Exactly these actions, in this order. Log lines are left out.
    const Step& expect(std::initializer_list<std::string_view> expected = {}) const;
    /// Exactly one log line, with all of these parts.
    const Step& expect_line(std::initializer_list<std::string_view> parts) const;
    const Step& expect_no_line() const;
  };

  Step at(Clock::duration time, const Event& event);
  /// What the wall clock shows at the start of the script, or would have shown, if it is set later.
  void set_clock(WallTime at_start) { wall_at_start_ = at_start; }
  /// All workers are forked (pid 100 + slot) and ready at `time`; the mold is pid 50.
  void booted_at(Clock::duration time);

  /// Since the start of the script; Clock::duration::max() if nothing is due.
  Clock::duration next_wakeup() const;
  Snapshot snapshot() const { return supervisor_->snapshot(); }
  StopEffect effect_of(const StopRequested& event, Clock::duration time) const {
    return supervisor_->effect_of(event, TimePoint{} + time);
  }
  State state() const { return supervisor_->state(); }
  bool may_upgrade_now() const { return supervisor_->may_upgrade_now(); }
  /// The states of the slots: "serving draining empty".
  std::string states() const;

 private:
  std::unique_ptr<Supervisor> supervisor_;
  WallTime wall_at_start_{};
};

/// So many workers whose hearts nobody looks at, and without probation: what is left to wake up for is the script's
/// own.
inline Settings settings(int workers) {
  Settings result;
  result.workers = workers;
  result.limits.heartbeat_timeout = Duration::zero();
  result.probation = Duration::zero();
  return result;
}

inline constexpr pid_t kMold = 50;
inline pid_t pid_of(int slot) { return 100 + slot; }
inline Event forked(int slot, pid_t pid = 0) { return WorkerForked{slot, pid == 0 ? pid_of(slot) : pid}; }
inline Event ready(int slot) { return WorkerReady{slot}; }
inline Event left(int slot) { return WorkerLeft{slot}; }
inline Event tick() { return Tick{}; }
inline Event killed(pid_t pid, int signal, const std::string& name) {
  return ChildExited{pid, {true, signal, false, name}};
}
inline Event exited(pid_t pid, int code) {
  return ChildExited{pid, {false, code, false, "exit code " + std::to_string(code)}};
}

}  // namespace serval::supervisor
