#include "supervisor/worker_steps.hpp"

#include <csignal>

namespace serval::supervisor {
namespace {

constexpr auto kAbortPatience = std::chrono::seconds(10);

}  // namespace

void make_due(Slot& slot, Cause cause, const Turn& turn) {
  if (slot.serving() && turn.phase() != Phase::stopping) slot.become_due(cause, turn.now);
}

namespace {

/// The last one that listens where the new generation does not: it still answers what waits there, so no new connection
/// may come once it drains.
void retire_listeners_before(const Slot& last, const Turn& turn) {
  RolloutInHand& rollout = *turn.world.rollout;
  const auto old_one = [&turn](const Slot& slot) {
    return slot.generation() != turn.world.current && (slot.serving() || slot.state() == SlotState::starting);
  };
  if (rollout.step != RolloutInHand::Step::rolling || rollout.listeners_retired || !old_one(last)) return;
  if (turn.slots.count(old_one) > 1) return;
  rollout.listeners_retired = true;
  turn.act(RetireListeners{});
}

}  // namespace

void drain_worker(Slot& slot, Cause cause, const Turn& turn) {
  if (turn.world.rollout) retire_listeners_before(slot, turn);
  slot.retire(cause, turn.now, turn.now + turn.settings.grace);
  turn.act(DrainWorker{slot.index(), turn.phase() != Phase::stopping});
}

void kill_worker(Slot& slot, Cause cause, const Turn& turn) {
  slot.kill(cause);
  if (slot.pid() != 0) turn.act(Kill{slot.pid(), SIGKILL});
}

void abort_worker(Slot& slot, Cause cause, const Turn& turn) {
  slot.kill(cause, turn.now + kAbortPatience);
  if (slot.pid() != 0) turn.act(Kill{slot.pid(), SIGABRT});
}

}  // namespace serval::supervisor
