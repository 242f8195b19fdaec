#include "supervisor/rollout.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "supervisor/mold_steps.hpp"
#include "supervisor/rollout_steps.hpp"
#include "supervisor/worker_steps.hpp"

namespace serval::supervisor {
namespace {

using Step = RolloutInHand::Step;

}  // namespace

void Rollout::on(const ReloadRequested& event, const Turn& turn) {
  if (const std::string why = turn.why_not_running(); !why.empty())
    return turn.act(ReloadEnded{turn.world.current, false, why});
  if (turn.world.rollout) {
    again_by_ = event.by;  // what is under way may have read the files before they were as they are now
    return turn.say(log::Level::info, "reload asked for while one is under way, it follows", {{"by", event.by}});
  }
  if (!turn.settings.has_app) return take_over(event, turn);
  begin(event.by, event.settings, turn);
}

/// Without an app there is nothing to load: the programs follow the new configuration from here on.
void Rollout::take_over(const ReloadRequested& event, const Turn& turn) {
  World& world = turn.world;
  turn.molds.clear();
  world.current = ++world.newest;
  turn.molds[world.current].generation = world.current;
  if (event.settings) {
    world.settings = *event.settings;
    world.settings.workers = 0;
  }
  failure_.clear();
  ++counts_.good;
  notifier_.reloading(turn);
  turn.say(log::Level::info, "reloaded", {{"gen", world.current}, {"by", event.by}});
  notifier_.ready(turn);
  turn.act(ReloadEnded{world.current, true, ""});
}

void Rollout::on(const RollbackRequested& event, const Turn& turn) {
  World& world = turn.world;
  const auto refuse = [&turn](const std::string& why) { turn.act(ReloadEnded{turn.world.current, false, why}); };
  if (const std::string why = turn.why_not_running(); !why.empty()) return refuse(why);
  if (world.rollout) return refuse("a reload is under way");
  if (!world.kept) return refuse("no generation is kept");
  world.rollout = RolloutInHand{
      .from = world.current, .to = world.kept->generation, .begun = turn.now, .settings = event.settings, .back = true};
  turn.say(log::Level::info, "rolling back",
           {{"from_gen", world.rollout->from}, {"to_gen", world.rollout->to}, {"by", event.by}});
  notifier_.reloading(turn);
}

void Rollout::on(const ReloadCalledOff& event, const Turn& turn) {
  const auto& rollout = turn.world.rollout;
  if (turn.phase() != Phase::running || !rollout || rollout->back) return;
  const std::string why = "called off by " + event.by;
  switch (rollout->step) {
    case Step::loading:
    case Step::canary:
    case Step::joining:
    case Step::watching: return end(false, why, turn);
    case Step::rolling: return roll_back(why, turn);
  }
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
  turn.say(log::Level::warning, "the app crashes over and over, and its library has changed on disk: loading it anew",
           {{"gen", world.newest + 1}});
  begin("its new library", std::nullopt, turn);
}

void Rollout::begin(const std::string& by, std::optional<Settings> settings, const Turn& turn) {
  World& world = turn.world;
  world.rollout =
      RolloutInHand{.from = world.current, .to = ++world.newest, .begun = turn.now, .settings = std::move(settings)};
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
  if (world.rollout && (world.rollout->step == Step::canary || world.rollout->step == Step::joining))
    look_at_canaries(turn);
  if (world.rollout && world.rollout->step == Step::watching) keep_watching(turn);
  for (Slot& slot : turn.slots) {
    if (slot.serving() && slot.generation() != world.current && !world.is_canary(slot))
      make_due(slot, Cause::reload, turn);
  }
}

void Rollout::start_canary(const Turn& turn) {
  if (add_canary(turn)) turn.world.rollout->step = Step::canary;
}

/// False: not until a worker ends.
bool Rollout::add_canary(const Turn& turn) {
  Slot* slot = turn.slots.spare(turn.settings.slots);
  if (slot == nullptr) return false;
  RolloutInHand& rollout = *turn.world.rollout;
  rollout.canaries.push_back(slot->index());
  const Duration limit = turn.world.settings_of(rollout.to).reload.ready_timeout;
  starter_.fork_from(turn.molds.at(rollout.to), *slot, turn.after(limit), turn);
  return true;
}

namespace {

enum class Canaries { serve, come, left };

Canaries state_of_canaries(const Turn& turn) {
  Canaries all = Canaries::serve;
  for (const int index : turn.world.rollout->canaries) {
    const Slot& canary = turn.slots[index];
    switch (canary.state()) {
      case SlotState::serving:
        if (turn.world.on_probation(canary, turn.now)) all = Canaries::come;
        break;
      case SlotState::starting:
      case SlotState::killing: all = Canaries::come; break;
      case SlotState::draining:
      case SlotState::empty:
      case SlotState::cooling: return Canaries::left;
    }
  }
  return all;
}

/// Where nobody serves there is nothing to compare with, and nothing to lose.
bool is_to_be_watched(const World& world) {
  const auto old_one = [&world](const Slot& slot) { return slot.serving() && !world.is_of_rollout(slot); };
  if (world.rollout->back) return false;
  return world.settings_of(world.rollout->to).reload.watch > Duration::zero() && world.slots.any(old_one);
}

int canaries_wanted(const World& world) {
  return std::min(world.settings_of(world.rollout->to).reload.canary.of(world.settings.workers),
                  world.settings.workers);
}

}  // namespace

void Rollout::look_at_canaries(const Turn& turn) {
  const Canaries state = state_of_canaries(turn);
  if (state == Canaries::left) return end(false, "its first worker left", turn);
  if (state == Canaries::come) return;
  if (!is_to_be_watched(turn.world)) return roll_out(turn);
  RolloutInHand& rollout = *turn.world.rollout;
  const int wanted = canaries_wanted(turn.world);
  const auto canaries = [&rollout] { return static_cast<int>(rollout.canaries.size()); };
  if (rollout.step == Step::canary && canaries() < wanted) {
    rollout.step = Step::joining;
    while (canaries() < wanted && add_canary(turn)) {
    }
    if (canaries() > 1) return;
  }
  begin_watch(turn);
}

void Rollout::begin_watch(const Turn& turn) {
  RolloutInHand& rollout = *turn.world.rollout;
  const config::Reload& rules = turn.world.settings_of(rollout.to).reload;
  rollout.step = Step::watching;
  rollout.trial.emplace(rules, turn.now);
  turn.say(log::Level::info, "watching the new generation beside the old one",
           {{"gen", rollout.to}, {"workers", rollout.canaries.size()}, {"watch_ms", rules.watch}});
  keep_watching(turn);
}

void Rollout::keep_watching(const Turn& turn) {
  RolloutInHand& rollout = *turn.world.rollout;
  if (state_of_canaries(turn) == Canaries::left) return end(false, "its first worker left", turn);
  if (rollout.trial->next() > turn.now) return;
  rollout.trial->asked();
  turn.act(LookAtGenerations{.old = rollout.from, .fresh = rollout.to});
}

void Rollout::on(const GenerationFigures& event, const Turn& turn) {
  auto& rollout = turn.world.rollout;
  if (turn.phase() != Phase::running || !rollout || rollout->step != Step::watching) return;
  if (event.old_generation != rollout->from || event.fresh_generation != rollout->to) return;
  const auto verdict = rollout->trial->look(event.old, event.fresh, turn.now);
  if (!verdict) return;
  switch (verdict->kind) {
    case Verdict::Kind::worse: return end(false, verdict->why, turn);
    case Verdict::Kind::too_few:
      turn.say(log::Level::warning, "too few requests to compare the generations, the reload goes on",
               {{"gen", rollout->to}, {"figures", verdict->why}});
      rollout->remark = "it was not compared with generation " + std::to_string(rollout->from) +
                        " (reload.watch): too few requests, " + verdict->why;
      return roll_out(turn);
    case Verdict::Kind::good:
      turn.say(log::Level::info, "the new generation answers no worse than the old one",
               {{"gen", rollout->to}, {"figures", verdict->why}});
      return roll_out(turn);
  }
}

TimePoint Rollout::next(const World& world) {
  if (world.phase != Phase::running) return TimePoint::max();
  TimePoint next = world.kept && !is_being_brought_back(world) ? world.kept->until : TimePoint::max();
  if (world.rollout && world.rollout->step == Step::watching) next = std::min(next, world.rollout->trial->next());
  return next;
}

void Rollout::settle(const Turn& turn) {
  forget_kept(turn);
  tell_how_far_it_is(turn);
  const World& world = turn.world;
  if (world.rollout && world.rollout->step == Step::rolling && is_over(world)) end(true, "", turn);
}

/// What serves has requests, which it answers.
void Rollout::dismiss_canary(Slot& canary, const Turn& turn) {
  if (canary.serving()) return drain_worker(canary, Cause::reload, turn);
  if (canary.state() == SlotState::starting) kill_worker(canary, Cause::reload, turn);
}

void Rollout::end(bool good, const std::string& why, const Turn& turn) {
  World& world = turn.world;
  const RolloutInHand rollout = *std::exchange(world.rollout, std::nullopt);
  failure_ = why;
  ++(good ? counts_.good : counts_.failed);
  const Duration took = in_milliseconds(turn.now - rollout.begun);
  if (good && !rollout.listeners_retired) turn.act(RetireListeners{});
  if (good) keep(rollout, turn);
  if (good) {
    turn.say(log::Level::info, rollout.back ? "rolled back" : "reloaded", {{"gen", world.current}, {"took_ms", took}});
  } else {
    turn.say(log::Level::error,
             rollout.back ? "rollback failed, the generation goes on" : "reload failed, the old generation goes on",
             {{"gen", world.current}, {"why", why}, {"took_ms", took}});
  }
  notifier_.ready(turn);
  for (const int index : rollout.canaries) dismiss_canary(turn.slots[index], turn);
  turn.act(ReloadEnded{world.current, good, why, good ? rollout.remark : ""});
  if (const auto by = std::exchange(again_by_, std::nullopt)) turn.act(ReloadAgain{*by});
}

void Rollout::roll_back(const std::string& why, const Turn& turn) {
  World& world = turn.world;
  const auto go_on = [&](const char* way_back) {
    turn.say(
        log::Level::error,
        std::string("the reload should be undone, and the old generation ") + way_back + ": going on with the new one",
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
