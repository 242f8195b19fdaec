#include "supervisor/ranks.hpp"

#include <algorithm>
#include <utility>

#include "supervisor/worker_steps.hpp"

namespace serval::supervisor::ranks {

void on(const ScaleRequested& event, const Turn& turn) {
  if (turn.phase() == Phase::stopping || turn.leaving()) {
    return turn.say(log::Level::warning, "the number of workers stays, the server is stopping",
                    {{"asked_by", event.signal}});
  }
  if (!turn.settings.has_app) return;
  int& workers = turn.world.settings.workers;
  const int before = std::exchange(workers, std::clamp(workers + event.by, 1, kMostWorkers));
  if (workers == before) {
    return turn.say(log::Level::warning, "the number of workers stays",
                    {{"workers", before}, {"asked_by", event.signal}, {"least", 1}, {"most", kMostWorkers}});
  }
  turn.say(log::Level::info, "scaling", {{"from", before}, {"to", workers}, {"asked_by", event.signal}});
}

void retire_surplus(const Turn& turn) {
  const auto rank = [&turn](const Slot& slot) {
    if (turn.world.is_canary(slot)) return 0;
    if (slot.state() == SlotState::cooling) return 4;
    if (slot.state() == SlotState::starting) return 3;
    if (!slot.serving() || slot.being_replaced()) return 0;
    return slot.due() ? 2 : 1;
  };
  for (int surplus = -turn.world.missing_workers(); surplus > 0; --surplus) {
    Slot* last = nullptr;
    for (Slot& slot : turn.slots) {
      if (rank(slot) > 0 &&
          (last == nullptr || std::pair(rank(slot), slot.number()) >= std::pair(rank(*last), last->number())))
        last = &slot;
    }
    if (last == nullptr) return;
    if (last->state() == SlotState::cooling) {
      last->clear();
    } else {
      drain_worker(*last, Cause::scale, turn);
    }
  }
}

void close(const Turn& turn) {
  const World& world = turn.world;
  for (Slot& slot : turn.slots) {
    if (slot.serving() && slot.generation() == world.current && slot.number() >= world.settings.workers)
      make_due(slot, Cause::scale, turn);
  }
}

}  // namespace serval::supervisor::ranks
