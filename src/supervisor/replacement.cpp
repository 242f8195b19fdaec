#include "supervisor/replacement.hpp"

#include "supervisor/worker_steps.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// For handlers that ran past their deadlines and have been told so, when everything else of their worker is done.
constexpr auto kLastChance = 1s;

// --- whose turn it is

/// That a worker is being replaced begins with its successor's start and ends with its own end.
int free_turns(const World& world) {
  const auto taken = world.slots.count([](const Slot& slot) {
    const bool under_way =
        slot.being_replaced() || slot.state() == SlotState::draining || slot.state() == SlotState::killing;
    return under_way && can_wait(slot.cause()) && slot.cause() != Cause::reload;
  });
  return world.settings.limits.max_recycling - taken;
}

/// Every worker may have a successor beside it; beyond that the machine would pay for an app that does not come to an
/// end. That does not hold up a reload: how many generations may live at a time is bounded by itself.
bool crowded(const World& world) {
  const auto taken = world.slots.count([](const Slot& slot) { return slot.state() != SlotState::empty; });
  // Among them the successors that have just been promised.
  const int about_to_start = std::max(0, world.missing_workers());
  return taken + about_to_start >= 2 * world.settings.workers + world.settings.limits.max_recycling;
}

/// Those of a reload have turns of their own, which end when the successor serves: a long request may not hold up a
/// rollout.
bool free_turn_for_reload(const World& world) {
  const auto taken =
      world.slots.count([](const Slot& slot) { return slot.being_replaced() && slot.cause() == Cause::reload; });
  return taken < world.settings.reload.surge;
}

Slot* next_due(World& world) {
  const bool molded = world.mold().state == MoldState::ready;
  const bool room = !crowded(world);
  const bool turn = molded && free_turns(world) > 0;
  const bool reload_turn = molded && free_turn_for_reload(world);
  Slot* next = nullptr;
  for (Slot& slot : world.slots) {
    if (!slot.due() || slot.being_replaced()) continue;
    if (world.is_canary(slot)) continue;  // its successor would be one of the old generation; once that is over
    if (!room && slot.cause() != Cause::reload) continue;
    if (can_wait(slot.cause()) && !(slot.cause() == Cause::reload ? reload_turn : turn)) continue;
    if (next == nullptr || slot.due_since() < next->due_since()) next = &slot;
  }
  return next;
}

/// The last one of the old generation stays until all of the new one have proved themselves: with it goes the way back.
bool may_retire(const Slot& slot, const Turn& turn) {
  const World& world = turn.world;
  if (!world.rollout || world.is_of_rollout(slot)) return true;
  const auto old_one = [&world](const Slot& other) { return other.serving() && !world.is_of_rollout(other); };
  const auto proves_itself = [&](const Slot& other) { return world.on_probation(other, turn.now); };
  return world.slots.count(old_one) > 1 || !world.slots.any(proves_itself);
}

}  // namespace

// --- which workers are due

void Replacement::on(const WorkerSpent& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr || !slot->serving()) return;
  if (event.why.empty()) return make_due(*slot, Cause::max_requests, turn);
  if (slot->cause() == Cause::unfit) return;
  turn.say(log::Level::warning, "worker asks for a successor",
           {{"slot", slot->number()}, {"worker_pid", slot->pid()}, {"why", event.why}});
  make_due(*slot, Cause::unfit, turn);
}

/// What it has missed may be that requests go on, that logs have moved, or that it should leave: it cannot be reckoned
/// with any more. One that drains ends by its deadline.
void Replacement::on(const WorkerDeaf& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr || turn.phase() == Phase::stopping) return;
  if (slot->state() == SlotState::starting && !slot->forking()) {
    slot->explain("it does not take messages");
    return kill_worker(*slot, Cause::boot_failed, turn);
  }
  if (!slot->serving() || slot->cause() == Cause::unfit) return;
  turn.say(log::Level::warning, "worker does not take messages",
           {{"slot", slot->number()}, {"worker_pid", slot->pid()}});
  make_due(*slot, Cause::unfit, turn);
}

void Replacement::on(const RequestTimedOut& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr) return;
  slot->mark_stuck();
  make_due(*slot, Cause::request_timeout, turn);
}

/// Its clients have all been answered: it need not wait for the end of the grace.
void Replacement::on(const OnlyStuckLeft& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr || slot->state() != SlotState::draining) return;
  slot->mark_stuck();
  slot->shorten(turn.now + kLastChance);
}

/// Without a slot: all that serve.
void Replacement::on(const RecycleRequested& event, const Turn& turn) {
  for (Slot& slot : turn.slots) {
    if (!event.slot || *event.slot == slot.number()) make_due(slot, Cause::manual, turn);
  }
}

void Replacement::on(const WorkerLeft& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot != nullptr && slot->occupied()) slot->leave();
}

void Replacement::retire_the_aged(const Turn& turn) {
  for (Slot& slot : turn.slots) {
    if (slot.serving() && slot.expires() <= turn.now) {
      slot.expire_at(TimePoint::max());
      make_due(slot, Cause::max_lifetime, turn);
    }
  }
}

// --- replacing them

void Replacement::settle(const Turn& turn) {
  retire_the_aged(turn);
  begin(turn);
  retire_replaced(turn);
  begin(turn);  // those whose turn has come by that
}

void Replacement::begin(const Turn& turn) {
  waits_for_turn_ = TimePoint::max();
  for (Slot* slot = next_due(turn.world); slot != nullptr; slot = next_due(turn.world)) {
    const bool patient = can_wait(slot->cause());
    if (patient && slot->cause() != Cause::reload && !turns_.take(turn.now)) {
      waits_for_turn_ = turns_.available_at(turn.now);
      return;
    }
    // A stuck worker leaves even if no successor comes.
    slot->begin_replacement(patient ? TimePoint::max() : turn.after(turn.settings.limits.boot_timeout));
    turn.say(slot->cause() == Cause::reload ? turn.world.routine() : log::Level::info, "replacing worker",
             {{"slot", slot->number()},
              {"worker_pid", slot->pid()},
              {"cause", name_of(slot->cause())},
              {"age_ms", in_milliseconds(turn.now - slot->started())},
              {"next", "its successor starts, then it drains"}});
  }
}

/// Once there are more that serve than are wanted, the first of those that are being replaced leaves.
void Replacement::retire_replaced(const Turn& turn) {
  auto serving = turn.slots.count([&turn](const Slot& slot) { return slot.serving() && !turn.world.is_canary(slot); });
  for (; serving > turn.settings.workers; --serving) {
    Slot* first = nullptr;
    for (Slot& slot : turn.slots) {
      if (slot.being_replaced() && (first == nullptr || slot.due_since() < first->due_since())) first = &slot;
    }
    if (first == nullptr || !may_retire(*first, turn)) return;
    drain_worker(*first, first->cause(), turn);
  }
}

void Replacement::give_up_waiting_at_door(const Turn& turn) {
  for (Slot& slot : turn.slots) {
    if (slot.door_deadline() > turn.now) continue;
    slot.leave();
    if (slot.state() != SlotState::draining) continue;  // it is being killed, which has been said
    turn.say(log::Level::warning,
             "draining worker did not report that it stopped accepting; no longer waiting for it",
             {{"slot", slot.number()}, {"worker_pid", slot.pid()}, {"cause", name_of(slot.cause())}});
  }
}

}  // namespace serval::supervisor
