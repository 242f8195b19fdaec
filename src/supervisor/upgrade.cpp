#include <algorithm>

#include "base/units.hpp"
#include "supervisor/supervisor.hpp"

// serval replaces itself by another version of it, in the same process. The shell does that; here is decided when it may, and what its successor
// has to know.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// For the check of the new program and for a calm moment. A reload has to be over by then; who wants to upgrade behind one asks again.
constexpr Duration kPatience = 60s;

}  // namespace

void Supervisor::handle(const UpgradeRequested& event) {
  if (upgrade_) return;  // who asks meanwhile gets the same answer
  if (phase_ != Phase::running || leaving()) {
    return act(UpgradeRefused{phase_ == Phase::booting ? "the server is still booting" : "the server is stopping"});
  }
  say(log::Level::info, "upgrade asked for, checking the new program", {{"by", event.by}});
  upgrade_ = Upgrade{.checked = false, .deadline = now_ + kPatience};
  act(CheckUpgrade{});
}

void Supervisor::handle(const UpgradeChecked& event) {
  if (!upgrade_) return;
  upgrade_->checked = event.good;
  if (!event.good) refuse_upgrade(event.why);
}

void Supervisor::handle(const UpgradeFailed& event) { refuse_upgrade(event.why); }

void Supervisor::refuse_upgrade(const std::string& why) {
  upgrade_.reset();
  say(log::Level::error, "upgrade refused, going on as before", {{"why", why}});
  act(UpgradeRefused{why});
}

void Supervisor::watch_upgrade() {
  if (!upgrade_) return;
  if (phase_ != Phase::running || leaving()) return refuse_upgrade("the server is stopping");
  if (now_ < upgrade_->deadline) return;
  const std::string why = why_not_calm();
  refuse_upgrade("no calm moment within " + format_duration(kPatience) + ": " + (why.empty() ? "another command still waits for its answer" : why));
}

/// Nothing is under way that only this process knows: who was asked for an answer would give it to somebody who never asked.
std::string Supervisor::why_not_calm() const {
  if (rollout_) return "a reload is under way";
  if (reopening_) return "logs are being reopened";
  if (looking_) return "workers are being looked at";
  if (std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.forking(); })) return "a worker is being forked";
  return upgrade_ && !upgrade_->checked ? "the check of the new program does not end" : "";
}

bool Supervisor::may_upgrade_now() const { return upgrade_ && upgrade_->checked && why_not_calm().empty(); }

State Supervisor::state() const {
  State state{.workers = settings_.workers,
              .current = current_,
              .newest = newest_,
              .complete = complete_,
              .drained = drained_,
              .pause = pause_,
              .pauses = pauses_,
              .paused_since = paused_since_,
              .next_reminder = next_reminder_,
              .reload_failure = reload_failure_,
              .crashes_in_a_row = crashes_in_a_row_,
              .begun = begun_,
              .ended = ended_};
  for (const auto& [generation, mold] : molds_) {
    state.molds.push_back({generation, mold.state, mold.pid, mold.backoff.crashes_in_a_row(), mold.started, mold.loaded_at, mold.deadline});
  }
  for (const Slot& slot : slots_) state.slots.push_back(slot.record());
  return state;
}

Supervisor::Supervisor(Settings settings, const State& state, TimePoint now) : Supervisor(std::move(settings)) {
  slots_.clear();
  settings_.workers = state.workers;
  phase_ = Phase::running;
  current_ = state.current;
  newest_ = state.newest;
  complete_ = state.complete;
  drained_ = state.drained;
  pause_ = state.pause;
  pauses_ = state.pauses;
  paused_since_ = state.paused_since;
  next_reminder_ = state.next_reminder;
  reload_failure_ = state.reload_failure;
  crashes_in_a_row_ = state.crashes_in_a_row;
  begun_ = state.begun;
  ended_ = state.ended;
  molds_.clear();
  molds_[current_].generation = current_;
  for (const MoldRecord& record : state.molds) {
    Mold& mold = molds_[record.generation];
    mold.generation = record.generation;
    mold.state = record.state;
    mold.pid = record.pid;
    mold.started = record.started;
    mold.loaded_at = record.loaded_at;
    mold.deadline = record.deadline;
    mold.backoff = Backoff(record.crashes_in_a_row);
  }
  for (const SlotRecord& record : state.slots) {
    Slot& slot = slots_.emplace_back(static_cast<int>(slots_.size()), record);
    if (slot.serving()) slot.watched.heart.start(now, settings_.limits.heartbeat_timeout);
  }
}

std::vector<Log> Supervisor::folded() { return fold_.rest(); }

}  // namespace serval::supervisor
