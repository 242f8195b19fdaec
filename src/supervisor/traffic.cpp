#include <algorithm>
#include <utility>

#include "supervisor/supervisor.hpp"

// Whether new traffic is wanted, and whether requests begin.
namespace serval::supervisor {
namespace {

/// A pause that somebody forgot looks like a server that hangs.
constexpr auto kRemindEvery = std::chrono::minutes(1);

}  // namespace

/// What status, readiness probes and the service manager are told. Few workers are better than none: only who cannot or will not serve at all is unready.
std::string Supervisor::unready() const {
  if (leaving() || phase_ == Phase::stopping || phase_ == Phase::finished) return "stopping";
  if (!complete_) return "booting";
  const std::string drained = drained_ ? "draining (serval drain)" : "";
  if (pause_ != 0) return drained + (drained_ ? ", " : "") + "paused (serval pause)";
  if (drained_) return drained;
  const bool any_serves = std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.serving(); });
  return any_serves ? "" : "no worker serves";
}

void Supervisor::handle(const DrainRequested& event) {
  if (phase_ == Phase::stopping || drained_ == event.on) return;
  drained_ = event.on;
  say(log::Level::info, drained_ ? "draining: reporting not ready; incoming requests are still served" : "draining no more: reporting ready",
      {{"by", event.by}});
}

// --- pausing

void Supervisor::handle(const PauseRequested& event) { event.on ? pause(event.by) : resume(event.by); }

void Supervisor::handle(const WorkerPaused& event) {
  if (Slot* slot = find(event.slot)) slot->pause_in(event.pause);
}

/// Those that drain go on: they answer what they have, and take nothing new.
void Supervisor::pause(const std::string& by) {
  if (phase_ == Phase::stopping || pause_ != 0) return;
  pause_ = ++pauses_;
  quiet_ = false;
  paused_since_ = now_;
  next_reminder_ = now_ + kRemindEvery;
  say(log::Level::info, "pausing: what is in progress is finished, new requests wait", {{"by", by}});
  for (const Slot& slot : slots_) {
    if (slot.state() == SlotState::starting || slot.state() == SlotState::serving) act(PauseWorker{slot.index(), pause_});
  }
}

void Supervisor::resume(const std::string& by) {
  if (pause_ == 0) return;
  pause_ = 0;
  next_reminder_ = TimePoint::max();
  say(log::Level::info, "resumed: requests go on", {{"by", by}, {"paused_ms", std::chrono::duration_cast<Duration>(now_ - paused_since_)}});
  for (const Slot& slot : slots_) {
    if (slot.state() == SlotState::starting || slot.state() == SlotState::serving) act(ResumeWorker{slot.index()});
  }
}

/// Workers that may be at one. One that drains is, whatever it said before: it answers what it has held. One that has never been ready has none, and
/// may take minutes until it can say so.
int Supervisor::in_progress() const {
  if (pause_ == 0) return 0;
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(), [this](const Slot& slot) {
    const bool has_served = slot.occupied() && slot.ready_at() != TimePoint::max();
    const bool holds = slot.serving() && slot.paused() == pause_;
    return has_served && !holds;
  }));
}

void Supervisor::tell_of_pause() {
  if (pause_ == 0) return;
  const Duration since = std::chrono::duration_cast<Duration>(now_ - paused_since_);
  if (!quiet_ && in_progress() == 0) {
    quiet_ = true;
    say(log::Level::info, "paused: no request is in progress", {{"after_ms", since}});
  }
  if (next_reminder_ > now_) return;
  next_reminder_ = now_ + kRemindEvery;
  say(log::Level::warning, "still paused, requests wait for serval resume", {{"paused_ms", since}, {"workers_in_progress", in_progress()}});
}

}  // namespace serval::supervisor
