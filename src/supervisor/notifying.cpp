#include <algorithm>
#include <utility>

#include "base/log_text.hpp"
#include "base/text.hpp"
#include "supervisor/supervisor.hpp"

// What of the supervisor's a service manager is told; when is notices.hpp's.
namespace serval::supervisor {
namespace {

/// Limit for an app's own words: a status is one line.
constexpr std::size_t kLongestReason = 200;

/// The first line; further ones are hints.
std::string one_line(std::string_view text) {
  std::string line;
  log::append_text(line, text.substr(0, text.find('\n')), false);
  return line;
}

std::string count_of(long number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

}  // namespace

void Supervisor::notify(std::string state) {
  act(Notify{notices_.told() ? notices_.with_status(std::move(state), headline(), now_) : std::move(state)});
}

void Supervisor::send_notices() {
  const std::string status = notices_.told() ? headline() : "";
  for (std::string& state : notices_.due(status, busy_until(), now_)) act(Notify{std::move(state)});
}

/// A service manager that asked for a reload by a signal waits for its beginning and its end, even if there is nothing
/// in between (systemd.service(5), Type=notify-reload). That it failed can only be said in words.
void Supervisor::notify_reloading() {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch()).count();
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void Supervisor::notify_ready() {
  if (complete_ && !leaving()) notify("READY=1");  // nothing takes STOPPING=1 back
}

/// One line for an operator: how many serve, and whatever is not as usual.
std::string Supervisor::headline() const {
  const auto count = [this](auto which) { return static_cast<long>(slots_.count(which)); };
  if (phase_ == Phase::stopping || phase_ == Phase::finished) {
    const long left = count([](const Slot& slot) { return slot.occupied(); });
    return left == 0 ? "stopping" : "stopping: " + count_of(left, "worker") + (left == 1 ? " drains" : " drain");
  }
  if (phase_ == Phase::booting && mold().state != MoldState::ready) return "loading the app";
  const long serving = count([](const Slot& slot) { return slot.serving(); });
  std::string text = std::to_string(serving) + " of " + std::to_string(settings_.workers) +
                     " workers serve, generation " + std::to_string(current_);
  if (rollout_) text += "; " + rollout_step();
  if (const std::string why = why_not_ready(readiness()); complete_ && !why.empty()) text += "; not ready: " + why;
  const long crashing = count([this](const Slot& slot) {
    return slot.backoff.crashes_in_a_row() >= 2 &&
           !(slot.serving() && slot.healthy_for(now_) >= settings_.restart.backoff_reset);
  });
  if (crashing > 0)
    text += "; " + count_of(crashing, "worker") + (crashing == 1 ? " crashes" : " crash") + " over and over";
  if (!reload_failure_.empty())
    text += "; the last reload failed: " + shortened(one_line(reload_failure_), kLongestReason);
  return text;
}

std::string Supervisor::rollout_step() const {
  const std::string generation = "generation " + std::to_string(rollout_->to);
  switch (rollout_->step) {
    case Rollout::Step::loading: return "reloading: loading " + generation;
    case Rollout::Step::canary: return "reloading: the first worker of " + generation + " boots";
    case Rollout::Step::rolling: return "reloading: workers of " + generation + " take over";
  }
  return "";
}

/// When what is under way now must have ended, by its own deadlines; min() if nothing is.
TimePoint Supervisor::busy_until() const {
  if (phase_ == Phase::stopping) return last_deadline();
  if (leaving()) return leaves_at_;
  if (rollout_) return last_deadline();
  if (complete_) return TimePoint::min();
  // Loading, then booting; a worker that fails and tries again does not make it longer.
  const Duration timeout = settings_.limits.boot_timeout;
  return std::min(mold().loaded_at == TimePoint::max() ? mold().deadline : mold().loaded_at + timeout,
                  begun_ + 2 * timeout);
}

/// Of molds and workers that start or leave; max() stands for an end that does not take long.
TimePoint Supervisor::last_deadline() const {
  TimePoint last = TimePoint::min();
  const auto look = [&last](TimePoint deadline) {
    if (deadline != TimePoint::max()) last = std::max(last, deadline);
  };
  for (const auto& [generation, mold] : molds_) look(mold.deadline);
  for (const Slot& slot : slots_) {
    if (slot.occupied()) look(slot.deadline());
  }
  return last;
}

}  // namespace serval::supervisor
