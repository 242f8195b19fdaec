#include <algorithm>

#include "base/exit_code.hpp"
#include "base/units.hpp"
#include "config/options.hpp"
#include "supervisor/backoff.hpp"
#include "supervisor/program_group.hpp"
#include "supervisor/program_rules.hpp"

/// What happens to an instance of a ProgramGroup, and what follows from that.
namespace serval::supervisor {
namespace {

/// Up to so many instances each has its own lines when all start or stop.
constexpr int kFewInstances = 10;

}  // namespace

log::Level ProgramGroup::routine() const {
  return state_.wanted > kFewInstances ? log::Level::debug : log::Level::info;
}

std::vector<log::Field> ProgramGroup::fields(const ProgramInstance& instance) const {
  std::vector<log::Field> line = {{"program", state_.name}, {"instance", instance.number}};
  if (instance.pid != 0) line.emplace_back("program_pid", instance.pid);
  return line;
}

void ProgramGroup::started(ProgramInstance& instance, pid_t pid, const Turn& turn) {
  instance.pid = pid;
  turn.say(routine(), "program started", fields(instance));
  if (instance.leaving) return leave(instance, instance.cause, turn);
  if (instance.run) run_began(instance, turn);
}

void ProgramGroup::not_started(ProgramInstance& instance, const std::string& why, const Turn& turn) {
  if (instance.state != ProgramState::starting || instance.pid != 0) return;
  exited(instance, Exit{.code = exit_code::cannot_start, .text = why}, turn);
}

void ProgramGroup::become_ready(ProgramInstance& instance, const Turn& turn) const {
  instance.state = ProgramState::ready;
  instance.ready_at = turn.now;
  instance.deadline = TimePoint::max();
  instance.expires = turn.after(program_.max_lifetime);
}

void ProgramGroup::ready(ProgramInstance& instance, const Turn& turn) {
  if (instance.state != ProgramState::starting) return;
  become_ready(instance, turn);
  if (state_.failed_number == instance.number) state_.failure.clear();
  auto line = fields(instance);
  line.emplace_back("after_ms", in_milliseconds(turn.now - instance.started));
  turn.say(routine(), "program ready", std::move(line));
  if (!std::exchange(instance.successor, false)) return;
  for (ProgramInstance& old : instances_) {
    // Also if it has died meanwhile, and is about to be started again.
    if (old.number == instance.number && old.id != instance.id && !old.leaving) leave(old, old.cause, turn);
  }
}

void ProgramGroup::exited(ProgramInstance& instance, const Exit& exit, const Turn& turn) {
  if (instance.run) return run_ended(instance, exit, turn);
  auto line = fields(instance);
  line.emplace_back("how", how_it_ended(exit));
  instance.why = how_it_ended(exit);
  log::Level level = log::Level::info;
  if (instance.leaving) {
    line.emplace_back("cause", name_of(instance.cause));
    level = routine();
    instance.then = ProgramState::ended;
  } else {
    const bool was_ready = instance.ready_at != TimePoint::max();
    if (instance.cause == Cause::none || !instance.killed)
      instance.cause = exit.oom ? Cause::oom : was_ready ? Cause::crash : Cause::boot_failed;
    if (instance.successor) {
      instance.then = ProgramState::ended;
      line.emplace_back("cause", name_of(instance.cause));
      line.emplace_back("next", "the one that it was to replace goes on");
    } else {
      instance.then = decide_what_follows(instance, exit, line, turn);
    }
    if (instance.then == ProgramState::waiting || !instance.good) level = log::Level::error;
    if (!was_ready && !(instance.then == ProgramState::ended && instance.good))
      fail_to_start(instance, instance.why, turn);
  }
  if (exit.leftovers > 0) line.emplace_back("left_behind", exit.leftovers);
  turn.say(level, instance.pid == 0 ? "program not started" : "program ended", std::move(line));
  clear(instance, exit, turn);
}

/// What it has left behind has the rest of its grace, if it was told to end.
void ProgramGroup::clear(ProgramInstance& instance, const Exit& exit, const Turn& turn) {
  if (exit.leftovers == 0) return conclude(instance, turn);
  const bool was_told = instance.state == ProgramState::stopping && !instance.killed;
  instance.state = ProgramState::clearing;
  turn.act(EndLeftovers{instance.id, instance.pid, was_told ? std::max(instance.deadline, turn.now) : turn.now});
}

/// It has ended by itself, or was killed for a reason of its own.
ProgramState ProgramGroup::decide_what_follows(ProgramInstance& instance, const Exit& exit,
                                               std::vector<log::Field>& line, const Turn& turn) {
  const auto healthy_for =
      instance.ready_at == TimePoint::max() ? Clock::duration::zero() : turn.now - instance.ready_at;
  Backoff backoff(instance.failures);
  const Duration delay = backoff.crashed(turn.settings.restart, healthy_for, turn.world.random);
  instance.failures = backoff.crashes_in_a_row();
  const AfterEnd follows = instance.killed ? AfterEnd::restart : after_end(program_, exit);
  const bool gave_up = follows == AfterEnd::restart && gives_up(program_, instance.failures);
  if (follows == AfterEnd::restart && !gave_up) {
    line.emplace_back("cause", name_of(instance.cause));
    line.emplace_back("next", restarting_in(delay));
    instance.deadline = turn.now + delay;
    return ProgramState::waiting;
  }
  instance.good = follows == AfterEnd::succeeded;
  line.emplace_back("next", gave_up         ? "giving up: serval start " + state_.name + " tries again"
                            : instance.good ? std::string("it is done")
                                            : "it failed, and restart = \"never\"");
  return ProgramState::ended;
}

/// A rolling replacement ends with its first failure, and the instances that serve go on.
void ProgramGroup::fail_to_start(const ProgramInstance& instance, const std::string& why, const Turn& turn) {
  const bool replacing = std::any_of(instances_.begin(), instances_.end(), [&](const auto& other) {
    return other.id != instance.id && other.runs() && other.cause != Cause::none;
  });
  state_.failure = "instance " + std::to_string(instance.number) + " did not become ready: " + why;
  state_.failed_number = instance.number;
  if (!replacing) return;
  turn.say(log::Level::error, "replacing a program failed, the instances that run go on",
           {{"program", state_.name}, {"why", state_.failure}});
  for (ProgramInstance& other : instances_) {
    if (!other.runs() || other.leaving || other.id == instance.id) continue;
    other.cause = Cause::none;
    if (other.expires <= turn.now) other.expires = turn.after(program_.max_lifetime);
  }
}

void ProgramGroup::cleared(ProgramInstance& instance, const Turn& turn) {
  if (instance.state == ProgramState::clearing) conclude(instance, turn);
}

/// Its process is gone with all that it had started.
void ProgramGroup::conclude(ProgramInstance& instance, const Turn& turn) {
  if (instance.leaving || instance.successor || (instance.run && instance.then == ProgramState::ended)) {
    const int id = instance.id;
    std::erase_if(instances_, [id](const auto& one) { return one.id == id; });
    return;
  }
  if (instance.then == ProgramState::waiting) ++state_.restarts[instance.cause];
  instance.state = instance.then;
  instance.pid = 0;
  instance.cause = Cause::none;
  instance.killed = false;
  instance.ready_at = TimePoint::max();
  instance.expires = TimePoint::max();
  instance.looks_above_soft = 0;
  instance.above_hard = false;
  if (instance.state == ProgramState::ended) instance.deadline = TimePoint::max();
  instance.started = turn.now;
}

/// Above the hard ceiling twice, as with workers: a spike that is gone by then has done its harm.
void ProgramGroup::measured(ProgramInstance& instance, std::uint64_t bytes, const Turn& turn) {
  if (!instance.runs()) return;
  const auto say = [&](log::Level level, const char* sentence, std::size_t ceiling, const char* next) {
    auto line = fields(instance);
    line.emplace_back("memory", format_size_like(bytes, ceiling));
    line.emplace_back("ceiling", format_size(ceiling));
    line.emplace_back("measure", config::name_of(turn.settings.memory.measure));
    line.emplace_back("next", next);
    turn.say(level, sentence, std::move(line));
  };
  const bool above_hard = program_.memory_hard > 0 && bytes > program_.memory_hard;
  if (above_hard && std::exchange(instance.above_hard, above_hard)) {
    say(log::Level::error, "program is above its hard memory ceiling", program_.memory_hard, "killing it");
    return kill(instance, Cause::memory_hard, turn);
  }
  instance.above_hard = above_hard;
  const bool above_soft = program_.memory_soft > 0 && bytes > program_.memory_soft;
  instance.looks_above_soft = above_soft ? instance.looks_above_soft + 1 : 0;
  if (instance.looks_above_soft < turn.settings.memory.samples || instance.state != ProgramState::ready) return;
  if (instance.cause != Cause::none) return;
  say(log::Level::warning, "program is above its soft memory ceiling", program_.memory_soft, "replacing it");
  make_due(instance, Cause::memory_soft);
}

}  // namespace serval::supervisor
