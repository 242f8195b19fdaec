#include <algorithm>
#include <csignal>

#include "supervisor/supervisor.hpp"

// Filling the slots: forks, what comes of them, and the lines that tell of workers that boot.
namespace serval::supervisor {
namespace {

/// A process group that is signalled, by Ctrl-C or a service manager, has workers that leave or die before the master
/// has heard of its own signal. For that long a worker that was signalled gets no successor, which the stop would have
/// to end.
constexpr auto kGroupSignal = std::chrono::milliseconds(100);
/// Up to this number of workers, each has its own lines when all start, are replaced by a reload, or stop. In a larger
/// fleet they are for debugging.
constexpr int kFewWorkers = 10;

}  // namespace

int Supervisor::missing_workers() const {
  if (phase_ == Phase::stopping || phase_ == Phase::finished) return 0;
  int missing = settings_.workers + (rollout_ && rollout_->canary >= 0 ? 1 : 0);
  for (const Slot& slot : slots_) {
    if (slot.active()) --missing;
    if (slot.being_replaced()) ++missing;  // its successor
  }
  return missing;
}

void Supervisor::start_what_is_missing() {
  if (phase_ == Phase::stopping || mold().state != MoldState::ready || forks_held_until_ > now_) return;
  for (Slot& slot : slots_) {
    if (slot.state() == SlotState::cooling && slot.deadline() <= now_ && !start_worker(slot)) return;
  }
  for (int missing = missing_workers(); missing > 0; --missing) {
    Slot* slot = spare_slot();
    if (slot == nullptr || !start_worker(*slot)) return;
  }
}

/// No worker that new code could harm: all that run have crashed over and over.
bool Supervisor::crash_looping() const {
  const auto crashed_often = [](const Slot& slot) { return slot.backoff.crashes_in_a_row() >= 2; };
  return phase_ == Phase::running && slots_.any(crashed_often) &&
         std::all_of(slots_.begin(), slots_.end(),
                     [&](const Slot& slot) { return slot.state() == SlotState::empty || crashed_often(slot); });
}

/// False if it has to wait for the next token.
bool Supervisor::start_worker(Slot& slot) {
  if (!forks_.take(now_)) return false;
  if (crash_looping()) act(InspectApp{current_});
  fork_from(mold(), slot, after(settings_.limits.boot_timeout));
  return true;
}

void Supervisor::fork_from(Mold& mold, Slot& slot, TimePoint deadline) {
  slot.start(mold.generation, slots_.number_for(slot, mold.generation, settings_.workers), now_, deadline);
  ranks_are_open_ = ranks_are_open_ || slot.number() >= settings_.workers;
  slot.pause_in(traffic_.pause());
  const std::int64_t max_requests = settings_.limits.max_requests;
  act(ForkWorker{.slot = slot.index(),
                 .number = slot.number(),
                 .generation = mold.generation,
                 .max_requests = max_requests == 0 ? 0 : max_requests + up_to(settings_.limits.max_requests_jitter),
                 .pause = traffic_.pause()});
}

void Supervisor::handle(const WorkerForked& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || !slot->forking()) return;
  slot->forked(event.pid);
  if (slot->state() == SlotState::killing) act(Kill{event.pid, SIGKILL});
  if (slot->state() == SlotState::serving) announce(*slot);
}

void Supervisor::handle(const ForkFailed& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || !slot->forking()) return;
  if (slot->state() != SlotState::starting) {
    slot->clear();
    return;
  }
  slot->explain(event.why);
  worker_failed(*slot, Cause::boot_failed, event.why, {{"slot", slot->number()}});
}

void Supervisor::handle(const WorkerReady& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr) return;
  if (slot->state() == SlotState::draining && slot->boots()) return slot->ready_after_all(now_, now_ + settings_.grace);
  if (slot->state() != SlotState::starting) return;
  slot->ready(now_);
  slot->watched.heart.start(now_, settings_.limits.heartbeat_timeout);
  const Duration lifetime = settings_.limits.max_lifetime;
  if (lifetime > Duration::zero())
    slot->expire_at(now_ + lifetime + Duration(up_to(settings_.limits.max_lifetime_jitter.count())));
  if (phase_ == Phase::booting) phase_ = Phase::running;
  if (!slot->forking()) announce(*slot);  // else it was faster than the mold, which reports its pid next
}

void Supervisor::announce(const Slot& slot) {
  const Duration boot = in_milliseconds(slot.ready_at() - slot.started());
  const bool one_of_all = !complete_ || belongs_to_rollout(slot);
  say(one_of_all ? routine() : log::Level::info, "worker ready",
      {{"slot", slot.number()}, {"worker_pid", slot.pid()}, {"boot_ms", boot}});
  announce_if_complete();
}

/// The level of lines about a single worker, when all of them do the same.
log::Level Supervisor::routine() const {
  return settings_.workers > kFewWorkers ? log::Level::debug : log::Level::info;
}

void Supervisor::announce_if_complete() {
  if (complete_ || phase_ != Phase::running) return;
  const auto serving =
      slots_.count([](const Slot& slot) { return slot.state() == SlotState::serving && !slot.forking(); });
  if (serving < settings_.workers) return;
  complete_ = true;
  say(log::Level::info, "serving", {{"workers", settings_.workers}, {"boot_ms", in_milliseconds(now_ - begun_)}});
  notify_ready();
}

void Supervisor::handle(const WorkerBootFailed& event) {
  if (Slot* slot = slots_.find(event.slot)) slot->explain(event.why);
}

void Supervisor::handle(const WorkerLeaving& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || (slot->state() != SlotState::starting && slot->state() != SlotState::serving)) return;
  say(log::Level::info, "worker leaves, it was told to by a signal; its successor starts",
      {{"slot", slot->number()}, {"worker_pid", slot->pid()}});
  slot->retire(Cause::manual, now_, now_ + settings_.grace);
  // Once for all that follow: workers that leave one after another must not put it off for ever.
  if (!leaving() && forks_held_until_ <= now_) forks_held_until_ = now_ + kGroupSignal;
}

}  // namespace serval::supervisor
