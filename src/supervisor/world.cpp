#include "supervisor/world.hpp"

#include <algorithm>
#include <utility>

namespace serval::supervisor {
namespace {

/// Up to this number of workers, each has its own lines when all start, are replaced by a reload, or stop. In a larger
/// fleet they are for debugging.
constexpr int kFewWorkers = 10;

}  // namespace

World::World(Settings wanted)
    : settings(std::move(wanted)), forks(fork_burst(settings), settings.forks_per_second), random(settings.seed) {
  for (int i = 0; i < settings.workers; ++i) slots.add();
  molds[current].generation = current;
}

std::int64_t World::up_to(std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); }

log::Level World::routine() const { return settings.workers > kFewWorkers ? log::Level::debug : log::Level::info; }

Mold* World::find_mold(int generation) {
  const auto found = molds.find(generation);
  return found == molds.end() ? nullptr : &found->second;
}

bool World::is_needed(const Mold& mold) const {
  return mold.generation == current || (kept && kept->generation == mold.generation) ||
         (rollout && (mold.generation == rollout->from || mold.generation == rollout->to));
}

const Settings& World::settings_of(int generation) const {
  return rollout && rollout->to == generation && rollout->settings ? *rollout->settings : settings;
}

int World::missing_workers() const {
  if (phase == Phase::stopping || phase == Phase::finished) return 0;
  int missing = settings.workers + (rollout ? static_cast<int>(rollout->canaries.size()) : 0);
  for (const Slot& slot : slots) {
    if (slot.active()) --missing;
    if (slot.being_replaced()) ++missing;  // its successor
  }
  return missing;
}

bool World::crash_looping() const {
  const auto crashed_often = [](const Slot& slot) { return slot.backoff.crashes_in_a_row() >= 2; };
  return phase == Phase::running && slots.any(crashed_often) &&
         std::all_of(slots.begin(), slots.end(),
                     [&](const Slot& slot) { return slot.state() == SlotState::empty || crashed_often(slot); });
}

bool World::is_among_canaries(const Slot& slot) const {
  const std::vector<int>& canaries = rollout->canaries;
  return std::find(canaries.begin(), canaries.end(), slot.index()) != canaries.end();
}

bool World::on_probation(const Slot& slot, TimePoint now) const {
  return is_of_rollout(slot) && !rollout->back && slot.serving() && slot.healthy_for(now) < settings.probation;
}

TimePoint World::probation_over(TimePoint now) const {
  TimePoint next = TimePoint::max();
  if (!rollout) return next;
  for (const Slot& slot : slots) {
    if (on_probation(slot, now)) next = std::min(next, slot.ready_at() + settings.probation);
  }
  return next;
}

}  // namespace serval::supervisor
