#include "supervisor/worker_starter.hpp"

#include <algorithm>
#include <csignal>

namespace serval::supervisor {
namespace {

bool has_cooled(const Slot& slot, TimePoint now) {
  return slot.state() == SlotState::cooling && slot.deadline() <= now;
}

}  // namespace

void WorkerStarter::settle(const Turn& turn) {
  const World& world = turn.world;
  if (world.phase == Phase::stopping || world.mold().state != MoldState::ready || held_until_ > turn.now) return;
  for (Slot& slot : turn.slots) {
    if (has_cooled(slot, turn.now) && !start(slot, turn)) return;
  }
  for (int missing = world.missing_workers(); missing > 0; --missing) {
    // None: until a worker ends, which deadlines see to.
    Slot* slot = turn.slots.spare(turn.settings.slots);
    if (slot == nullptr || !start(*slot, turn)) return;
  }
}

TimePoint WorkerStarter::next(const World& world, TimePoint now) const {
  if (held_until_ > now) return held_until_;
  const bool waits =
      world.missing_workers() > 0 || world.slots.any([now](const Slot& slot) { return has_cooled(slot, now); });
  return waits && world.mold().state == MoldState::ready ? world.forks.available_at(now) : TimePoint::max();
}

/// False if it has to wait for the next token.
bool WorkerStarter::start(Slot& slot, const Turn& turn) {
  if (!turn.world.forks.take(turn.now)) return false;
  if (turn.world.crash_looping()) turn.act(InspectApp{turn.world.current});
  fork_from(turn.world.mold(), slot, turn.after(turn.settings.limits.boot_timeout), turn);
  return true;
}

void WorkerStarter::fork_from(const Mold& mold, Slot& slot, TimePoint deadline, const Turn& turn) {
  const int workers = turn.settings.workers;
  slot.start(mold.generation, turn.slots.number_for(slot, mold.generation, workers), turn.now, deadline);
  slot.pause_in(traffic_.pause());
  const config::Workers& limits = turn.settings.limits;
  turn.act(ForkWorker{.slot = slot.index(),
                      .number = slot.number(),
                      .generation = mold.generation,
                      .max_requests = limits.max_requests == 0
                                          ? 0
                                          : limits.max_requests + turn.world.up_to(limits.max_requests_jitter),
                      .pause = traffic_.pause()});
}

void WorkerStarter::on(const WorkerForked& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr || !slot->forking()) return;
  slot->forked(event.pid);
  if (slot->state() == SlotState::killing) turn.act(Kill{event.pid, SIGKILL});
  if (slot->state() == SlotState::serving) announce(*slot, turn);
}

void WorkerStarter::on(const WorkerReady& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr) return;
  const config::Workers& limits = turn.settings.limits;
  if (slot->state() == SlotState::draining && slot->boots()) {
    slot->watched.heart.start(turn.now, limits.heartbeat_timeout);
    return slot->ready_after_all(turn.now, turn.now + turn.settings.grace);
  }
  if (slot->state() != SlotState::starting) return;
  slot->ready(turn.now);
  slot->watched.heart.start(turn.now, limits.heartbeat_timeout);
  if (limits.max_lifetime > Duration::zero()) {
    const Duration jitter(turn.world.up_to(limits.max_lifetime_jitter.count()));
    slot->expire_at(turn.now + limits.max_lifetime + jitter);
  }
  if (turn.phase() == Phase::booting) turn.world.phase = Phase::running;
  if (!slot->forking()) announce(*slot, turn);  // else it was faster than the mold, which reports its pid next
}

void WorkerStarter::announce(const Slot& slot, const Turn& turn) {
  const Duration boot = in_milliseconds(slot.ready_at() - slot.started());
  const bool one_of_all = !turn.world.complete || turn.world.is_of_rollout(slot);
  turn.say(one_of_all ? turn.world.routine() : log::Level::info, "worker ready",
           {{"slot", slot.number()}, {"worker_pid", slot.pid()}, {"boot_ms", boot}});
  announce_if_complete(turn);
}

void WorkerStarter::announce_if_complete(const Turn& turn) {
  if (turn.world.complete || turn.phase() != Phase::running) return;
  const auto serving = turn.slots.count([](const Slot& slot) { return slot.serving() && !slot.forking(); });
  if (serving < turn.settings.workers) return;
  turn.world.complete = true;
  turn.say(log::Level::info, "serving",
           {{"workers", turn.settings.workers}, {"boot_ms", in_milliseconds(turn.now - turn.world.begun)}});
  notifier_.ready(turn);
}

void WorkerStarter::on(const WorkerBootFailed& event, const Turn& turn) {
  if (Slot* slot = turn.slots.find(event.slot)) slot->explain(event.why);
}

void WorkerStarter::on(const WorkerLeaving& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr || (slot->state() != SlotState::starting && slot->state() != SlotState::serving)) return;
  turn.say(log::Level::info, "worker leaves, it was told to by a signal; its successor starts",
           {{"slot", slot->number()}, {"worker_pid", slot->pid()}});
  slot->retire(turn.leaving() ? Cause::stop : Cause::manual, turn.now, turn.now + turn.settings.grace);
  // Once for all that follow: workers that leave one after another must not put it off for ever.
  if (!turn.leaving() && held_until_ <= turn.now) held_until_ = turn.now + kGroupSignal;
}

}  // namespace serval::supervisor
