#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/overloaded.hpp"
#include "supervisor/deadlines.hpp"
#include "supervisor/headline.hpp"
#include "supervisor/mold_steps.hpp"
#include "supervisor/ranks.hpp"

namespace serval::supervisor {
namespace {

template <class Part, class What>
concept Hears = requires(Part& part, const What& what, const Turn& turn) {
  part.on(what, turn);
};

/// The one part that has an on() for the event gets it.
template <class What, class... Parts>
Consequence tell(const What& what, const Turn& turn, Parts&... parts) {
  static_assert((0 + ... + (Hears<Parts, What> ? 1 : 0)) == 1, "every event is the matter of one part");
  Consequence consequence;
  const auto tell_one = [&](auto& part) {
    if constexpr (Hears<std::remove_reference_t<decltype(part)>, What>) {
      if constexpr (std::is_void_v<decltype(part.on(what, turn))>) {
        part.on(what, turn);
      } else {
        consequence = part.on(what, turn);
      }
    }
  };
  (tell_one(parts), ...);
  return consequence;
}

}  // namespace

Supervisor::Supervisor(Settings settings, const State& before)
    : world_(std::move(settings)),
      fold_(fork_burst(world_.settings)),
      crashes_(before.crashes_in_a_row),
      traffic_(before),
      notifier_(Notices(world_.settings.notified, world_.settings.watchdog),
                [this](const Turn& turn) {
                  return headline(turn.world, programs_.count(), readiness(), rollout_.failure(), turn.now);
                }),
      starter_(traffic_, notifier_),
      worker_ends_(crashes_, before.ended),
      mold_life_(crashes_),
      replacement_(world_.settings),
      rollout_(starter_, notifier_, before.reload_failure, before.reloads),
      ending_(traffic_, notifier_),
      programs_(world_.settings, before) {}

Supervisor::Supervisor(Settings settings) : Supervisor(std::move(settings), State()) {
  if (!world_.settings.has_app) world_.phase = Phase::running;  // there is no boot that could fail as a whole
}

Supervisor::Supervisor(Settings settings, const State& state, TimePoint now) : Supervisor(std::move(settings), state) {
  world_.slots.clear();
  world_.settings.workers = state.workers;
  world_.phase = Phase::running;
  world_.current = state.current;
  world_.newest = state.newest;
  world_.complete = state.complete;
  if (state.kept != 0) world_.kept = KeptGeneration{state.kept, state.kept_until};
  world_.begun = state.begun;
  world_.molds.clear();
  world_.molds[world_.current].generation = world_.current;
  for (const MoldRecord& record : state.molds) world_.molds[record.generation] = Mold(record);
  for (const SlotRecord& record : state.slots) {
    Slot& slot = world_.slots.add(record);
    slot.watched.taken_over = slot.occupied();
    if (slot.serving()) slot.watched.heart.start(now, world_.settings.limits.heartbeat_timeout);
  }
}

std::vector<Action> Supervisor::on(const Event& event, TimePoint now, WallTime wall) {
  if (world_.phase == Phase::finished) return {};
  now_ = now;
  world_.wall = wall;
  const Turn turn(now, world_, fold_, actions_);
  Watch::forgive_if_we_slept(wakeup_, turn);
  see_to(dispatch(event, turn), turn);
  settle(turn);
  wakeup_ = find_next_wakeup(now);
  return std::exchange(actions_, {});
}

Consequence Supervisor::dispatch(const Event& event, const Turn& turn) {
  return std::visit(Overloaded{
                        [&turn](const Start&) {
                          turn.world.begun = turn.now;
                          if (turn.settings.has_app) start_mold(turn.world.mold(), turn);
                          return Consequence();
                        },
                        [this, &turn](const ChildExited& what) { return on_exit(what, turn); },
                        [&turn](const ScaleRequested& what) {
                          ranks::on(what, turn);
                          return Consequence();
                        },
                        [&turn](const Reported& what) {
                          turn.say(what.line.level, what.line.sentence, what.line.fields);
                          return Consequence();
                        },
                        [](const Tick&) { return Consequence(); },  // what is due happens after every event
                        [this, &turn](const auto& what) {
                          return tell(what, turn, traffic_, starter_, worker_ends_, mold_life_, replacement_, rollout_,
                                      ending_, log_reopening_, upgrade_, watch_, programs_);
                        },
                    },
                    event);
}

Consequence Supervisor::on_exit(const ChildExited& event, const Turn& turn) {
  const auto mold = std::find_if(turn.molds.begin(), turn.molds.end(),
                                 [&event](const auto& entry) { return entry.second.pid == event.pid; });
  if (mold != turn.molds.end()) return mold_life_.on_exit(mold->second, event.exit, turn);
  if (programs_.on_exit(event.pid, event.exit, turn)) return {};
  Slot* slot = turn.slots.find_pid(event.pid);
  return slot == nullptr ? Consequence() : worker_ends_.on_exit(*slot, event.exit, turn);
}

void Supervisor::see_to(const Consequence& consequence, const Turn& turn) {
  switch (consequence.kind) {
    case Consequence::Kind::none: return;
    case Consequence::Kind::rollout_failed: return rollout_.fail(consequence.why, turn);
    case Consequence::Kind::roll_back: return rollout_.roll_back(consequence.why, turn);
    case Consequence::Kind::boot_failed: return ending_.fail_boot(consequence.why, consequence.fields, turn);
    case Consequence::Kind::give_up: return ending_.give_up(turn);
    case Consequence::Kind::programs_ended: return ending_.programs_ended(consequence.exit_code, turn);
  }
}

/// What the event, or the time that has passed, has made possible or due.
void Supervisor::settle(const Turn& turn) {
  ending_.look_at_delay(turn);
  enforce_deadlines(turn);
  if (turn.phase() == Phase::running) {
    rollout_.carry_on(turn);
    replacement_.settle(turn);
    ranks::retire_surplus(turn);
    ranks::close(turn);
    Replacement::give_up_waiting_at_door(turn);
    rollout_.settle(turn);
    MoldLife::retire_unneeded(turn);
    if (turn.settings.has_app) outage_.settle(turn);
  }
  starter_.settle(turn);
  settle_programs(turn);
  watch_.settle(turn);
  log_reopening_.settle(turn);
  traffic_.settle(turn);
  upgrade_.settle(why_not_calm(), turn);
  for (Log& line : fold_.due(turn.now)) turn.act(std::move(line));
  notifier_.settle(busy_until(world_), turn);
  ending_.finish_if_done(programs_.all_gone(), turn);
}

/// Without an app they are what the service manager waits for.
void Supervisor::settle_programs(const Turn& turn) {
  const bool was_complete = turn.world.complete;
  const Consequence consequence = programs_.settle(turn);
  if (!turn.settings.has_app && turn.world.complete && !was_complete) notifier_.ready(turn);
  see_to(consequence, turn);
}

TimePoint Supervisor::find_next_wakeup(TimePoint now) const {
  if (world_.phase == Phase::finished) return TimePoint::max();
  return std::min({world_.leaves_at, next_deadline(world_, now), starter_.next(world_, now), replacement_.next(),
                   world_.probation_over(now), Rollout::next(world_),
                   world_.phase == Phase::running && world_.settings.has_app ? outage_.next() : TimePoint::max(),
                   programs_.next(now), watch_.next(world_.settings, world_.slots), traffic_.next(), upgrade_.next(),
                   fold_.next(), notifier_.next()});
}

StopEffect Supervisor::effect_of(const StopRequested& event, TimePoint now) const {
  return ending_.effect_of(event, world_, now);
}

std::vector<Log> Supervisor::folded() { return fold_.rest(); }

// ---- How things are

Snapshot Supervisor::snapshot() const {
  Snapshot result;
  for (const Slot& slot : world_.slots) {
    result.workers.push_back({slot.number(), slot.index(), slot.generation(), slot.pid(), slot.state(), slot.cause(),
                              slot.at_door(), slot.watched.heart.hangs(now_), slot.started(), slot.deadline(),
                              slot.backoff.crashes_in_a_row()});
  }
  result.generations = living_generations(world_);
  result.generation = world_.current;
  result.mold = world_.mold().state;
  result.mold_pid = world_.mold().pid;
  result.wanted = world_.settings.workers;
  result.booting = world_.phase == Phase::booting;
  result.readiness = readiness();
  result.stopping = result.readiness.stopping;
  result.reopening = log_reopening_.under_way();
  result.paused = traffic_.pause() != 0;
  result.in_progress = traffic_.in_progress(world_.slots);
  result.reloads = rollout_.counts();
  result.ended = worker_ends_.counts();
  result.programs = programs_.record().programs;
  result.has_app = world_.settings.has_app;
  return result;
}

Readiness Supervisor::readiness() const {
  Readiness server;
  server.stopping = world_.leaving() || world_.phase == Phase::stopping || world_.phase == Phase::finished;
  server.booting = !world_.complete;
  server.draining = traffic_.drained();
  server.paused = traffic_.pause() != 0;
  if (!world_.settings.has_app) server.needed = 0;
  server.serving = world_.slots.count([](const Slot& slot) { return slot.serving(); });
  if (world_.rollout && world_.rollout->step == RolloutInHand::Step::watching && server.serving > 0) {
    const int canaries =
        world_.slots.count([this](const Slot& slot) { return slot.serving() && world_.is_of_rollout(slot); });
    server.comparison = {.generation = world_.rollout->to, .permille = 1000 * canaries / server.serving};
  }
  return server;
}

/// What is under way that only this process knows of: a successor would give the answer to a client that never asked.
std::string Supervisor::why_not_calm() const {
  if (world_.rollout) return "a reload is under way";
  if (log_reopening_.under_way()) return "logs are being reopened";
  if (watch_.looking()) return "workers are being looked at";
  if (const std::string why = programs_.why_not_calm(); !why.empty()) return why;
  if (world_.slots.any([](const Slot& slot) { return slot.forking(); })) return "a worker is being forked";
  return "";
}

bool Supervisor::may_upgrade_now() const { return upgrade_.checked() && why_not_calm().empty(); }

State Supervisor::state() const {
  State state;
  static_cast<TrafficRecord&>(state) = traffic_.record();
  static_cast<ProgramsRecord&>(state) = programs_.record();
  state.workers = world_.settings.workers;
  state.current = world_.current;
  state.newest = world_.newest;
  state.complete = world_.complete;
  if (world_.kept) {
    state.kept = world_.kept->generation;
    state.kept_until = world_.kept->until;
  }
  state.reload_failure = rollout_.failure();
  state.reloads = rollout_.counts();
  state.crashes_in_a_row = crashes_.in_a_row();
  state.begun = world_.begun;
  state.ended = worker_ends_.counts();
  for (const auto& [generation, mold] : world_.molds) state.molds.push_back(mold.record());
  for (const Slot& slot : world_.slots) state.slots.push_back(slot.record());
  return state;
}

}  // namespace serval::supervisor
