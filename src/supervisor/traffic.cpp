#include "supervisor/traffic.hpp"

#include <chrono>

namespace serval::supervisor {
namespace {

/// A pause that was forgotten looks like a server that hangs.
constexpr auto kRemindEvery = std::chrono::minutes(1);

bool told_of_pauses(const Slot& slot) {
  return slot.state() == SlotState::starting || slot.state() == SlotState::serving;
}

}  // namespace

void Traffic::on(const DrainRequested& event, const Turn& turn) {
  if (turn.phase() == Phase::stopping || state_.drained == event.on) return;
  state_.drained = event.on;
  turn.say(log::Level::info,
           event.on ? "draining: reporting not ready; incoming requests are still served"
                    : "draining no more: reporting ready",
           {{"by", event.by}});
}

void Traffic::on(const PauseRequested& event, const Turn& turn) {
  event.on ? pause(event.by, turn) : resume(event.by, turn);
}

void Traffic::on(const WorkerPaused& event, const Turn& turn) {
  if (Slot* slot = turn.slots.find(event.slot)) slot->pause_in(event.pause);
}

/// Workers that drain go on: they answer what they have, and accept nothing new.
void Traffic::pause(const std::string& by, const Turn& turn) {
  if (turn.phase() == Phase::stopping || state_.pause != 0) return;
  state_.pause = ++state_.pauses;
  quiet_said_ = false;
  state_.paused_since = turn.now;
  state_.next_reminder = turn.now + kRemindEvery;
  turn.say(log::Level::info, "pausing: what is in progress is finished, new requests wait", {{"by", by}});
  for (const Slot& slot : turn.slots) {
    if (told_of_pauses(slot)) turn.act(PauseWorker{slot.index(), state_.pause});
  }
}

void Traffic::resume(const std::string& by, const Turn& turn) {
  if (state_.pause == 0) return;
  state_.pause = 0;
  state_.next_reminder = TimePoint::max();
  const auto paused = in_milliseconds(turn.now - state_.paused_since);
  turn.say(log::Level::info, "resumed: requests go on", {{"by", by}, {"paused_ms", paused}});
  for (const Slot& slot : turn.slots) {
    if (told_of_pauses(slot)) turn.act(ResumeWorker{slot.index()});
  }
}

/// One that drains may have, whatever it said before: it answers what it has held. One that has never been ready has
/// none, and may take minutes until it can say so.
int Traffic::in_progress(const Slots& slots) const {
  if (state_.pause == 0) return 0;
  return slots.count([this](const Slot& slot) {
    const bool has_served = slot.occupied() && slot.ready_at() != TimePoint::max();
    const bool holds = slot.serving() && slot.paused() == state_.pause;
    return has_served && !holds;
  });
}

void Traffic::settle(const Turn& turn) {
  if (state_.pause == 0) return;
  const auto since = in_milliseconds(turn.now - state_.paused_since);
  if (!quiet_said_ && in_progress(turn.slots) == 0) {
    quiet_said_ = true;
    turn.say(log::Level::info, "paused: no request is in progress", {{"after_ms", since}});
  }
  if (state_.next_reminder > turn.now) return;
  state_.next_reminder = turn.now + kRemindEvery;
  turn.say(log::Level::warning, "still paused, requests wait for serval resume",
           {{"paused_ms", since}, {"workers_in_progress", in_progress(turn.slots)}});
}

}  // namespace serval::supervisor
