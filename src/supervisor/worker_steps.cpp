#include "supervisor/worker_steps.hpp"

#include <csignal>

namespace serval::supervisor {
namespace {

constexpr auto kAbortPatience = std::chrono::seconds(10);

}  // namespace

void make_due(Slot& slot, Cause cause, const Turn& turn) {
  if (slot.serving() && turn.phase != Phase::stopping) slot.become_due(cause, turn.now);
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
