#include "supervisor/deadlines.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/units.hpp"
#include "supervisor/mold_steps.hpp"
#include "supervisor/worker_steps.hpp"

namespace serval::supervisor {
namespace {

std::vector<log::Field> names(const Slot& slot) {
  return {{"slot", slot.number()}, {"worker_pid", slot.pid()}};
}

void on_boot_over(Slot& slot, const Turn& turn) {
  const bool canary = turn.world.is_canary(slot);
  const Settings& rules = turn.world.settings_of(slot.generation());
  const Duration limit = canary ? rules.reload.ready_timeout : rules.limits.boot_timeout;
  slot.explain("not ready within " + format_duration(limit) +
               (canary ? " (reload.ready_timeout)" : " (workers.boot_timeout)"));
  std::vector<log::Field> fields = names(slot);
  fields.emplace_back("why", slot.why());
  turn.say(log::Level::warning, "worker does not become ready, killing it", std::move(fields));
  if (slot.forking()) kill_mold_of(slot, turn);  // it does not even answer
  kill_worker(slot, Cause::boot_failed, turn);
}

void on_no_successor(Slot& slot, const Turn& turn) {
  if (slot.forking()) {
    turn.say(log::Level::warning, "the mold does not say which process a worker is, killing the mold",
             {{"slot", slot.number()}, {"gen", slot.generation()}});
    slot.explain("its worker is ready, and its pid still unknown");
    return kill_mold_of(slot, turn);
  }
  std::vector<log::Field> fields = names(slot);
  fields.emplace_back("cause", name_of(slot.cause()));
  turn.say(log::Level::warning, "no successor became ready in time, the worker drains all the same",
           std::move(fields));
  drain_worker(slot, slot.cause(), turn);
}

void on_drain_over(Slot& slot, const Turn& turn) {
  std::vector<log::Field> fields = names(slot);
  fields.emplace_back("cause", name_of(slot.cause()));
  if (slot.boots() && turn.phase() == Phase::stopping) {
    turn.say(log::Level::info, "worker is still starting, killing it", std::move(fields));
    if (slot.forking()) kill_mold_of(slot, turn);
    return kill_worker(slot, slot.cause(), turn);
  }
  if (slot.stuck()) {
    turn.say(log::Level::warning, "worker has handlers that do not return, aborting it", std::move(fields));
    return abort_worker(slot, slot.cause(), turn);
  }
  fields.emplace_back("grace_ms", turn.settings.grace);
  turn.say(log::Level::warning, "worker did not drain within the grace, killing it", std::move(fields));
  if (slot.forking()) kill_mold_of(slot, turn);
  kill_worker(slot, Cause::grace_over, turn);
}

void enforce(Slot& slot, const Turn& turn) {
  switch (slot.state()) {
    case SlotState::starting: return on_boot_over(slot, turn);
    case SlotState::serving: return on_no_successor(slot, turn);
    case SlotState::draining: return on_drain_over(slot, turn);
    case SlotState::killing: {
      std::vector<log::Field> fields = names(slot);
      fields.emplace_back("cause", name_of(slot.cause()));
      turn.say(log::Level::warning, "worker outlives SIGABRT, killing it", std::move(fields));
      return kill_worker(slot, slot.cause(), turn);
    }
    case SlotState::empty:
    case SlotState::cooling: return;
  }
}

void enforce(Mold& mold, const Turn& turn) {
  switch (mold.state) {
    case MoldState::loading:
      mold.why = "it did not load within " +
                 format_duration(turn.world.settings_of(mold.generation).limits.boot_timeout) +
                 " (workers.boot_timeout)";
      return kill_mold(mold, turn);
    case MoldState::leaving:
      turn.say(log::Level::warning, "the mold did not end within the grace, killing it",
               {{"gen", mold.generation}, {"mold_pid", mold.pid}, {"grace_ms", turn.settings.grace}});
      return kill_mold(mold, turn);
    case MoldState::cooling:
      if (turn.world.forks.take(turn.now)) return start_mold(mold, turn);
      mold.deadline = turn.world.forks.available_at(turn.now);
      return;
    case MoldState::absent:
    case MoldState::ready: return;
  }
}

/// A stop waits for it, and a reload leaves it behind: the log should show what either waits for.
void complain_of(Mold& mold, const Turn& turn) {
  mold.complain_at = TimePoint::max();
  const Duration left = std::chrono::ceil<Duration>(mold.deadline - turn.now);
  turn.say(log::Level::warning, "the mold takes long to end",
           {{"gen", mold.generation},
            {"mold_pid", mold.pid},
            {"hint", "the app's destructor runs"},
            {"next", "killing it in " + std::to_string(left.count()) + "ms"}});
}

}  // namespace

void enforce_deadlines(const Turn& turn) {
  for (Slot& slot : turn.slots) {
    if (slot.deadline() <= turn.now) enforce(slot, turn);
  }
  for (auto& [generation, mold] : turn.molds) {
    if (mold.deadline <= turn.now) enforce(mold, turn);
    if (mold.complain_at <= turn.now) complain_of(mold, turn);
  }
}

TimePoint next_deadline(const World& world, TimePoint now) {
  TimePoint next = TimePoint::max();
  for (const auto& [generation, mold] : world.molds) next = std::min({next, mold.deadline, mold.complain_at});
  for (const Slot& slot : world.slots) {
    const bool cooled = slot.state() == SlotState::cooling && slot.deadline() <= now;
    if (!cooled) next = std::min(next, slot.deadline());
    if (slot.serving()) next = std::min(next, slot.expires());
    if (slot.at_door() && world.phase == Phase::running) next = std::min(next, slot.door_deadline());
  }
  return next;
}

}  // namespace serval::supervisor
