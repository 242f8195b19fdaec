#include <algorithm>

#include "base/units.hpp"
#include "supervisor/supervisor.hpp"

// What this supervisor hands over to its successor, another version of serval in the same process, and when.
namespace serval::supervisor {
/// Nothing is under way that only this process knows: the successor would give the answer to a client that never asked.
std::string Supervisor::why_not_calm() const {
  if (rollout_) return "a reload is under way";
  if (log_reopening_.under_way()) return "logs are being reopened";
  if (watch_.looking()) return "workers are being looked at";
  if (slots_.any([](const Slot& slot) { return slot.forking(); })) return "a worker is being forked";
  return "";
}

bool Supervisor::may_upgrade_now() const { return upgrade_.checked() && why_not_calm().empty(); }

State Supervisor::state() const {
  State state;
  static_cast<TrafficRecord&>(state) = traffic_.record();
  state.workers = settings_.workers;
  state.current = current_;
  state.newest = newest_;
  state.complete = complete_;
  state.reload_failure = reload_failure_;
  state.crashes_in_a_row = crashes_in_a_row_;
  state.begun = begun_;
  state.ended = ended_;
  for (const auto& [generation, mold] : molds_) state.molds.push_back(mold.record());
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
  traffic_ = Traffic(state);
  reload_failure_ = state.reload_failure;
  crashes_in_a_row_ = state.crashes_in_a_row;
  begun_ = state.begun;
  ended_ = state.ended;
  molds_.clear();
  molds_[current_].generation = current_;
  for (const MoldRecord& record : state.molds) molds_[record.generation] = Mold(record);
  for (const SlotRecord& record : state.slots) {
    Slot& slot = slots_.add(record);
    if (slot.serving()) slot.watched.heart.start(now, settings_.limits.heartbeat_timeout);
  }
}

std::vector<Log> Supervisor::folded() { return fold_.rest(); }

}  // namespace serval::supervisor
