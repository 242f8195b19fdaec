#include "supervisor/rollout_steps.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "supervisor/worker_steps.hpp"

namespace serval::supervisor {
namespace {

using Step = RolloutInHand::Step;

/// Limit of those that live at a time, with the one that loads. A worker that drains may take all of its grace, and
/// reloads may follow one another faster than that.
constexpr std::size_t kMostGenerations = 8;

}  // namespace

void make_room_for_a_generation(const Turn& turn) {
  std::map<int, std::vector<Slot*>> living;
  for (Slot& slot : turn.slots) {
    if (slot.occupied()) living[slot.generation()].push_back(&slot);
  }
  while (living.size() >= kMostGenerations && living.begin()->first != turn.world.current) {
    const auto [generation, workers] = *living.begin();
    turn.say(log::Level::warning, "too many generations live, the oldest one is cut off",
             {{"gen", generation}, {"workers", workers.size()}, {"most", kMostGenerations}});
    for (Slot* slot : workers) {
      if (slot->state() == SlotState::draining) kill_worker(*slot, slot->cause(), turn);
    }
    living.erase(living.begin());
  }
}

void roll_out(const Turn& turn) {
  World& world = turn.world;
  RolloutInHand& rollout = *world.rollout;
  const bool watched = rollout.trial.has_value();
  rollout.step = Step::rolling;
  rollout.canaries.clear();
  rollout.trial.reset();
  world.current = rollout.to;
  if (rollout.settings) {
    rollout.before = std::exchange(world.settings, *rollout.settings);
    if (world.settings.workers == 0) world.settings.workers = rollout.before->workers;
    rollout.settings->workers = world.settings.workers;
  }
  for (Slot& slot : turn.slots) slot.backoff.forget();  // other code
  turn.say(log::Level::info,
           watched ? "the new generation goes on with all workers"
                   : "first worker of the new generation serves, the others follow",
           {{"gen", world.current}});
}

/// What roll_out() has put in force. A number of workers that was asked for meanwhile is no part of the configuration
/// that has failed, and stays.
void take_back_settings(World& world) {
  RolloutInHand& rollout = *world.rollout;
  if (!rollout.before) return;
  const bool scaled = world.settings.workers != rollout.settings->workers;
  const int workers = scaled ? world.settings.workers : rollout.before->workers;
  world.settings = *std::exchange(rollout.before, std::nullopt);
  world.settings.workers = workers;
}

void tell_how_far_it_is(const Turn& turn) {
  World& world = turn.world;
  if (!world.rollout || world.rollout->step != Step::rolling || world.routine() == log::Level::info) return;
  const int wanted = world.settings.workers;
  const int replaced =
      turn.slots.count([&world](const Slot& slot) { return slot.serving() && world.is_of_rollout(slot); });
  const int quarters = 4 * replaced / wanted;
  if (quarters <= world.rollout->quarters_said || quarters >= 4) return;
  world.rollout->quarters_said = quarters;
  turn.say(log::Level::info, "reload goes on", {{"gen", world.current}, {"serving", replaced}, {"of", wanted}});
}

bool is_over(const World& world) {
  int serving = 0;
  for (const Slot& slot : world.slots) {
    const bool old_one =
        slot.generation() != world.current && (slot.serving() || slot.state() == SlotState::starting || slot.at_door());
    if (old_one) return false;
    if (slot.serving()) ++serving;
  }
  return serving >= world.settings.workers;
}

void keep(const RolloutInHand& rollout, const Turn& turn) {
  World& world = turn.world;
  world.kept.reset();
  const Mold* mold = world.find_mold(rollout.from);
  // Who has gone back may want to go forward again, whatever the configuration said by then.
  const Duration before = rollout.back && rollout.before ? rollout.before->reload.keep : Duration::zero();
  const Duration span = std::max(world.settings.reload.keep, before);
  if (span == Duration::zero() || mold == nullptr || mold->state != MoldState::ready) return;
  world.kept = KeptGeneration{rollout.from, turn.now + span};
  turn.say(log::Level::info, "the generation before is kept, serval rollback goes back to it",
           {{"gen", rollout.from}, {"keep_ms", span}});
}

bool is_being_brought_back(const World& world) { return world.rollout && world.rollout->to == world.kept->generation; }

void forget_kept(const Turn& turn) {
  World& world = turn.world;
  if (!world.kept || is_being_brought_back(world)) return;
  const int generation = world.kept->generation;
  const Mold* mold = world.find_mold(generation);
  if (mold == nullptr || mold->state != MoldState::ready) {
    world.kept.reset();
    turn.say(log::Level::warning, "the generation before is not kept any more, its mold has ended",
             {{"gen", generation}});
  } else if (world.kept->until <= turn.now) {
    world.kept.reset();
    turn.say(log::Level::info, "the generation before is not kept any more", {{"gen", generation}});
  }
}

}  // namespace serval::supervisor
