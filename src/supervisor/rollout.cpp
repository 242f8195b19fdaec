#include "supervisor/rollout.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "supervisor/mold_steps.hpp"
#include "supervisor/worker_steps.hpp"

namespace serval::supervisor {
namespace {

using Step = RolloutInHand::Step;

/// Limit of those that live at a time, with the one that loads. A worker that drains may take all of its grace, and
/// reloads may follow one another faster than that.
constexpr std::size_t kMostGenerations = 8;

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
  rollout.step = Step::rolling;
  rollout.canary = -1;
  world.current = rollout.to;
  if (rollout.settings) {
    rollout.before = std::exchange(world.settings, *rollout.settings);
    if (world.settings.workers == 0) world.settings.workers = rollout.before->workers;
    rollout.settings->workers = world.settings.workers;
  }
  for (Slot& slot : turn.slots) slot.backoff.forget();  // other code
  turn.say(log::Level::info, "first worker of the new generation serves, the others follow",
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

/// Where workers have no lines of their own (World::routine), a reload still shows that it goes on.
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

/// No worker of an older generation serves, or accepts requests while it leaves.
bool is_over(const World& world) {
  int serving = 0;
  for (const Slot& slot : world.slots) {
    const bool old_one = slot.generation() != world.current &&
                         (slot.serving() || slot.state() == SlotState::starting || slot.at_door());
    if (old_one) return false;
    if (slot.serving()) ++serving;
  }
  return serving >= world.settings.workers;
}

}  // namespace

void Rollout::on(const ReloadRequested& event, const Turn& turn) {
  if (const std::string why = turn.why_not_running(); !why.empty())
    return turn.act(ReloadEnded{turn.world.current, false, why});
  if (turn.world.rollout) {
    again_by_ = event.by;  // what is under way may have read the files before they were as they are now
    return turn.say(log::Level::info, "reload asked for while one is under way, it follows", {{"by", event.by}});
  }
  begin(event.by, event.settings, turn);
}

/// Nothing has changed, and it has been said why.
void Rollout::on(const ReloadRefused& event, const Turn& turn) {
  if (!turn.why_not_running().empty()) return;
  ++counts_.failed;
  failure_ = event.why;
  notifier_.reloading(turn);
  notifier_.ready(turn);
}

/// All workers crash over and over, and what is on disk is something else by now: it can only be better.
void Rollout::on(const AppChanged& event, const Turn& turn) {
  const World& world = turn.world;
  if (event.generation != world.current || world.rollout || world.leaving() || !world.crash_looping()) return;
  turn.say(log::Level::warning,
           "the app crashes over and over, and its library has changed on disk: loading it anew",
           {{"gen", world.newest + 1}});
  begin("its new library", std::nullopt, turn);
}

void Rollout::begin(const std::string& by, std::optional<Settings> settings, const Turn& turn) {
  World& world = turn.world;
  world.rollout = RolloutInHand{
      .from = world.current, .to = ++world.newest, .begun = turn.now, .settings = std::move(settings)};
  turn.say(log::Level::info, "reloading",
           {{"from_gen", world.rollout->from}, {"to_gen", world.rollout->to}, {"by", by}});
  notifier_.reloading(turn);
  make_room_for_a_generation(turn);
  Mold& mold = turn.molds[world.rollout->to];
  mold.generation = world.rollout->to;
  start_mold(mold, turn);
}

void Rollout::carry_on(const Turn& turn) {
  World& world = turn.world;
  if (world.rollout && world.rollout->step == Step::loading &&
      turn.molds.at(world.rollout->to).state == MoldState::ready)
    start_canary(turn);
  if (world.rollout && world.rollout->step == Step::canary) look_at_canary(turn);
  for (Slot& slot : turn.slots) {
    if (slot.serving() && slot.generation() != world.current && !world.is_canary(slot))
      make_due(slot, Cause::reload, turn);
  }
}

void Rollout::start_canary(const Turn& turn) {
  Slot* slot = turn.slots.spare(turn.settings.slots);
  if (slot == nullptr) return;  // until a worker ends
  RolloutInHand& rollout = *turn.world.rollout;
  rollout.step = Step::canary;
  rollout.canary = slot->index();
  starter_.fork_from(turn.molds.at(rollout.to), *slot, turn.after(turn.world.settings_of(rollout.to).reload.ready_timeout),
                     turn);
}

void Rollout::look_at_canary(const Turn& turn) {
  const Slot& canary = turn.slots[turn.world.rollout->canary];
  switch (canary.state()) {
    case SlotState::serving: return turn.world.on_probation(canary, turn.now) ? void() : roll_out(turn);
    case SlotState::starting:
    case SlotState::killing: return;
    case SlotState::draining:
    case SlotState::empty:
    case SlotState::cooling: return end(false, "its first worker left", turn);
  }
}

void Rollout::settle(const Turn& turn) {
  tell_how_far_it_is(turn);
  const World& world = turn.world;
  if (world.rollout && world.rollout->step == Step::rolling && is_over(world)) end(true, "", turn);
}

void Rollout::end(bool good, const std::string& why, const Turn& turn) {
  World& world = turn.world;
  const RolloutInHand rollout = *std::exchange(world.rollout, std::nullopt);
  failure_ = why;
  ++(good ? counts_.good : counts_.failed);
  const Duration took = in_milliseconds(turn.now - rollout.begun);
  if (good && !rollout.listeners_retired) turn.act(RetireListeners{});
  if (good) {
    turn.say(log::Level::info, "reloaded", {{"gen", world.current}, {"took_ms", took}});
  } else {
    turn.say(log::Level::error, "reload failed, the old generation goes on",
             {{"gen", world.current}, {"why", why}, {"took_ms", took}});
  }
  notifier_.ready(turn);
  if (rollout.canary >= 0) {
    Slot& canary = turn.slots[rollout.canary];
    if (canary.occupied() && canary.state() != SlotState::killing) kill_worker(canary, Cause::reload, turn);
  }
  turn.act(ReloadEnded{world.current, good, why});
  if (const auto by = std::exchange(again_by_, std::nullopt)) turn.act(ReloadAgain{*by});
}

void Rollout::roll_back(const std::string& why, const Turn& turn) {
  World& world = turn.world;
  const auto go_on = [&](const char* way_back) {
    turn.say(log::Level::error,
             std::string("the new generation's workers die, and the old one ") + way_back +
                 ": going on with the new one",
             {{"why", why}});
  };
  const Mold* old = world.find_mold(world.rollout->from);
  if (old == nullptr || old->state != MoldState::ready) return go_on("cannot fork any more");
  // Where only the old one listened, connections are refused by now, for good.
  if (world.rollout->listeners_retired) return go_on("has left its addresses");
  world.current = world.rollout->from;
  take_back_settings(world);
  for (Slot& slot : turn.slots) {
    if (slot.serving() && slot.generation() == world.current && slot.cause() == Cause::reload) slot.keep();
    if (slot.state() == SlotState::cooling) slot.cool(turn.now);
  }
  end(false, why, turn);
}

}  // namespace serval::supervisor
