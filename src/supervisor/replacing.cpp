#include <algorithm>
#include <csignal>
#include <utility>

#include "base/units.hpp"
#include "supervisor/supervisor.hpp"
#include "supervisor/worker_steps.hpp"

// Workers that have to go while the server goes on: which they are, whose turn it is, and that the successor serves
// first. And the number of workers, when it is changed.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// For handlers that ran past their deadlines and have been told so, when everything else of their worker is done.
constexpr auto kLastChance = 1s;

}  // namespace

// --- which workers are due

void Supervisor::handle(const WorkerSpent& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || !slot->serving()) return;
  if (event.why.empty()) return make_due(*slot, Cause::max_requests, turn());
  if (slot->cause() == Cause::unfit) return;
  say(log::Level::warning, "worker asks for a successor",
      {{"slot", slot->index()}, {"worker_pid", slot->pid()}, {"why", event.why}});
  make_due(*slot, Cause::unfit, turn());
}

/// What it has missed may be that requests go on, that logs have moved, or that it should leave: it cannot be reckoned
/// with any more. One that drains ends by its deadline.
void Supervisor::handle(const WorkerDeaf& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || phase_ == Phase::stopping) return;
  if (slot->state() == SlotState::starting && !slot->forking()) {
    slot->explain("it does not take messages");
    return kill_worker(*slot, Cause::boot_failed, turn());
  }
  if (!slot->serving() || slot->cause() == Cause::unfit) return;
  say(log::Level::warning, "worker does not take messages", {{"slot", slot->number()}, {"worker_pid", slot->pid()}});
  make_due(*slot, Cause::unfit, turn());
}

/// It serves no requests, and the next one is told everything.
void Supervisor::handle(const MoldDeaf& event) {
  Mold* mold = find_mold(event.generation);
  if (mold == nullptr || mold->killed || mold->state != MoldState::ready) return;
  if (mold->why.empty()) mold->why = "it does not take messages";
  kill_mold(*mold);
}

void Supervisor::handle(const RequestTimedOut& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr) return;
  slot->mark_stuck();
  make_due(*slot, Cause::request_timeout, turn());
}

/// Its clients have all been answered: it need not wait for the end of the grace.
void Supervisor::handle(const OnlyStuckLeft& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || slot->state() != SlotState::draining) return;
  slot->mark_stuck();
  slot->shorten(now_ + kLastChance);
}

/// Without a slot: all that serve.
void Supervisor::handle(const RecycleRequested& event) {
  for (Slot& slot : slots_) {
    if (!event.slot || *event.slot == slot.number()) make_due(slot, Cause::manual, turn());
  }
}

void Supervisor::retire_the_aged() {
  for (Slot& slot : slots_) {
    if (slot.serving() && slot.expires() <= now_) {
      slot.expire_at(TimePoint::max());
      make_due(slot, Cause::max_lifetime, turn());
    }
  }
}

// --- whose turn it is

/// That a worker is being replaced begins with its successor's start and ends with its own end.
int Supervisor::free_turns() const {
  const auto taken = slots_.count([](const Slot& slot) {
    const bool under_way =
        slot.being_replaced() || slot.state() == SlotState::draining || slot.state() == SlotState::killing;
    return under_way && can_wait(slot.cause()) && slot.cause() != Cause::reload;
  });
  return settings_.limits.max_recycling - static_cast<int>(taken);
}

/// Every worker may have a successor beside it; beyond that the machine would pay for an app that does not come to an
/// end. That does not hold up a reload: how many generations may live at a time is bounded by itself.
bool Supervisor::crowded() const {
  const auto taken = slots_.count([](const Slot& slot) { return slot.state() != SlotState::empty; });
  const int about_to_start = std::max(0, missing_workers());  // among them the successors that have just been promised
  return static_cast<int>(taken) + about_to_start >= 2 * settings_.workers + settings_.limits.max_recycling;
}

/// Those of a reload have turns of their own, which end when the successor serves: a long request may not hold up a
/// rollout.
bool Supervisor::free_turn_for_reload() const {
  const auto taken =
      slots_.count([](const Slot& slot) { return slot.being_replaced() && slot.cause() == Cause::reload; });
  return taken < settings_.reload.surge;
}

Slot* Supervisor::next_due() {
  const bool molded = mold().state == MoldState::ready;
  const bool room = !crowded();
  const bool turn = molded && free_turns() > 0;
  const bool reload_turn = molded && free_turn_for_reload();
  Slot* next = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.due() || slot.being_replaced()) continue;
    if (!room && slot.cause() != Cause::reload) continue;
    if (can_wait(slot.cause()) && !(slot.cause() == Cause::reload ? reload_turn : turn)) continue;
    if (next == nullptr || slot.due_since() < next->due_since()) next = &slot;
  }
  return next;
}

void Supervisor::begin_replacements() {
  waits_for_turn_ = TimePoint::max();
  for (Slot* slot = next_due(); slot != nullptr; slot = next_due()) {
    const bool patient = can_wait(slot->cause());
    if (patient && slot->cause() != Cause::reload && !turns_.take(now_)) {
      waits_for_turn_ = turns_.available_at(now_);
      return;
    }
    // A stuck worker leaves even if no successor comes.
    slot->begin_replacement(patient ? TimePoint::max() : after(settings_.limits.boot_timeout));
    say(slot->cause() == Cause::reload ? routine() : log::Level::info, "replacing worker",
        {{"slot", slot->number()},
         {"worker_pid", slot->pid()},
         {"cause", name_of(slot->cause())},
         {"age_ms", in_milliseconds(now_ - slot->started())},
         {"next", "its successor starts, then it drains"}});
  }
}

/// Once there are more that serve than are wanted, the first of those that are being replaced leaves.
void Supervisor::retire_replaced() {
  auto serving = slots_.count([](const Slot& slot) { return slot.serving(); });
  for (; serving > settings_.workers; --serving) {
    Slot* first = nullptr;
    for (Slot& slot : slots_) {
      if (slot.being_replaced() && (first == nullptr || slot.due_since() < first->due_since())) first = &slot;
    }
    if (first == nullptr || !may_retire(*first)) return;
    drain(*first, first->cause());
  }
}

void Supervisor::drain(Slot& slot, Cause cause) {
  if (rollout_) retire_listeners_before(slot);
  slot.retire(cause, now_, now_ + settings_.grace);
  act(DrainWorker{slot.index(), phase_ != Phase::stopping});
}

void Supervisor::handle(const WorkerLeft& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot != nullptr && slot->occupied()) slot->leave();
}

void Supervisor::give_up_waiting_at_door() {
  for (Slot& slot : slots_) {
    if (slot.door_deadline() > now_) continue;
    slot.leave();
    if (slot.state() != SlotState::draining) continue;  // it is being killed, which has been said
    say(log::Level::warning, "draining worker did not report that it stopped accepting; no longer waiting for it",
        {{"slot", slot.number()}, {"worker_pid", slot.pid()}, {"cause", name_of(slot.cause())}});
  }
}

// --- the number of workers

void Supervisor::handle(const ScaleRequested& event) {
  if (phase_ == Phase::stopping || leaving()) {
    return say(log::Level::warning, "the number of workers stays, the server is stopping",
               {{"asked_by", event.signal}});
  }
  const int before = settings_.workers;
  settings_.workers = std::clamp(before + event.by, 1, kMostWorkers);
  ranks_are_open_ = true;
  if (settings_.workers == before) {
    return say(log::Level::warning, "the number of workers stays",
               {{"workers", before}, {"asked_by", event.signal}, {"least", 1}, {"most", kMostWorkers}});
  }
  say(log::Level::info, "scaling", {{"from", before}, {"to", settings_.workers}, {"asked_by", event.signal}});
}

/// Slots are numbered from 0 without a gap, also after others than the highest ones have left.
void Supervisor::close_ranks() {
  if (!ranks_are_open_) return;
  ranks_are_open_ = false;
  for (Slot& slot : slots_) {
    if (!slot.occupied() || slot.generation() != current_ || slot.number() < settings_.workers) continue;
    ranks_are_open_ = true;
    if (slot.serving()) make_due(slot, Cause::scale, turn());
  }
}

/// Which are too many: first those that only wait to be started, then those that boot, then those that serve and have
/// to go anyway, then the others; the highest slots first.
void Supervisor::retire_surplus() {
  const auto rank = [this](const Slot& slot) {
    if (is_canary(slot)) return 0;
    if (slot.state() == SlotState::cooling) return 4;
    if (slot.state() == SlotState::starting) return 3;
    if (!slot.serving() || slot.being_replaced()) return 0;
    return slot.due() ? 2 : 1;
  };
  for (int surplus = -missing_workers(); surplus > 0; --surplus) {
    Slot* last = nullptr;
    for (Slot& slot : slots_) {
      if (rank(slot) > 0 &&
          (last == nullptr || std::pair(rank(slot), slot.number()) >= std::pair(rank(*last), last->number())))
        last = &slot;
    }
    if (last == nullptr) return;
    if (last->state() == SlotState::cooling) {
      last->clear();
    } else {
      drain(*last, Cause::scale);
    }
  }
}

}  // namespace serval::supervisor
