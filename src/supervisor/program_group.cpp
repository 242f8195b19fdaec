#include "supervisor/program_group.hpp"

#include <algorithm>
#include <csignal>

#include "base/units.hpp"
#include "config/options.hpp"
#include "config/program_values.hpp"
#include "supervisor/backoff.hpp"
#include "supervisor/program_rules.hpp"

namespace serval::supervisor {
namespace {

/// Up to so many instances each has its own lines when all start or stop.
constexpr int kFewInstances = 10;

log::Level routine(const ProgramGroupRecord& group) {
  return group.wanted > kFewInstances ? log::Level::debug : log::Level::info;
}

/// As the table says; TERM if it says nothing that is known.
int stop_signal_of(const config::Program& program) {
  return config::stop_signal_number(program.stop_signal).value_or(SIGTERM);
}

}  // namespace

ProgramGroup::ProgramGroup(std::string name, config::Program program) : program_(std::move(program)) {
  state_.name = std::move(name);
  state_.wanted = program_.count;
}

ProgramGroup::ProgramGroup(const ProgramGroupRecord& record, config::Program program)
    : state_(record), program_(std::move(program)) {
  for (const ProgramInstanceRecord& instance : record.instances) instances_.emplace_back(instance);
  state_.instances.clear();
}

ProgramGroupRecord ProgramGroup::record() const {
  ProgramGroupRecord record = state_;
  record.instances.assign(instances_.begin(), instances_.end());
  return record;
}

bool ProgramGroup::occupied() const {
  return std::any_of(instances_.begin(), instances_.end(), [](const auto& instance) { return instance.occupied(); });
}

bool ProgramGroup::ended() const {
  return state_.on && std::all_of(instances_.begin(), instances_.end(),
                                  [](const auto& instance) { return instance.state == ProgramState::ended; });
}

ProgramInstance* ProgramGroup::find(int id) {
  const auto found = std::find_if(instances_.begin(), instances_.end(), [id](const auto& one) { return one.id == id; });
  return found == instances_.end() ? nullptr : &*found;
}

ProgramInstance* ProgramGroup::find_pid(pid_t pid) {
  const auto found = std::find_if(instances_.begin(), instances_.end(), [pid](const auto& one) {
    return one.pid == pid && (one.runs() || one.state == ProgramState::stopping);
  });
  return found == instances_.end() ? nullptr : &*found;
}

std::vector<log::Field> ProgramGroup::fields(const ProgramInstance& instance) const {
  std::vector<log::Field> line = {{"program", state_.name}, {"instance", instance.number}};
  if (instance.pid != 0) line.emplace_back("program_pid", instance.pid);
  return line;
}

// --- What is wanted of it

void ProgramGroup::use(const config::Program& program, const Turn& turn) {
  const bool anew = !same_when_launched(program_, program);
  if (program.count != program_.count) state_.wanted = program.count;
  program_ = program;
  state_.removed = false;
  state_.failure.clear();
  if (anew) begin_anew(turn);
}

void ProgramGroup::renew(const std::string& by, const Turn& turn) {
  state_.failure.clear();
  if (!state_.on) return;
  turn.say(log::Level::info, "replacing the instances of a program", {{"program", state_.name}, {"by", by}});
  begin_anew(turn);
}

/// Those that have ended for good are taken for new ones, as after serval start: what has changed may be what was
/// wrong.
void ProgramGroup::begin_anew(const Turn& turn) {
  for (ProgramInstance& instance : instances_) {
    if (instance.state == ProgramState::starting) leave(instance, Cause::reload, turn);  // it may never be ready
    if (instance.runs() && !instance.leaving) instance.outdated = true;
    if (instance.runs()) make_due(instance, Cause::reload);
    if (instance.state == ProgramState::waiting) instance.deadline = turn.now;
  }
  std::erase_if(instances_, [](const auto& instance) { return instance.state == ProgramState::ended; });
}

void ProgramGroup::remove(const Turn& turn) {
  if (std::exchange(state_.removed, true)) return;
  turn.say(log::Level::info, "program is not in the configuration any more, stopping it", {{"program", state_.name}});
}

void ProgramGroup::start(const std::string& by, const Turn& turn) {
  state_.failure.clear();
  turn.say(log::Level::info, "program is to run", {{"program", state_.name}, {"by", by}});
  state_.on = true;
  for (ProgramInstance& instance : instances_) {
    if (instance.state == ProgramState::ended) {
      instance.state = ProgramState::waiting;
      instance.failures = 0;
    }
    if (instance.state == ProgramState::waiting) instance.deadline = turn.now;
  }
}

void ProgramGroup::stop(const std::string& by, const Turn& turn) {
  state_.failure.clear();
  if (!std::exchange(state_.on, false)) return;
  turn.say(log::Level::info, "program is to stop", {{"program", state_.name}, {"by", by}});
}

void ProgramGroup::replace_all(Cause cause, const std::string& by, const Turn& turn) {
  state_.failure.clear();
  turn.say(log::Level::info, "replacing the instances of a program", {{"program", state_.name}, {"by", by}});
  for (ProgramInstance& instance : instances_) {
    if (instance.state == ProgramState::ready) make_due(instance, cause);
    if (instance.state == ProgramState::waiting) instance.deadline = turn.now;
  }
}

void ProgramGroup::scale(int to, const std::string& by, const Turn& turn) {
  state_.failure.clear();
  const int before = std::exchange(state_.wanted, to);
  if (before == to) return;
  turn.say(log::Level::info, "scaling a program",
           {{"program", state_.name}, {"from", before}, {"to", to}, {"asked_by", by}});
}

// --- What happens to one of them

void ProgramGroup::started(ProgramInstance& instance, pid_t pid, const Turn& turn) {
  instance.pid = pid;
  turn.say(routine(state_), "program started", fields(instance));
}

void ProgramGroup::not_started(ProgramInstance& instance, const std::string& why, const Turn& turn) {
  if (instance.state != ProgramState::starting || instance.pid != 0) return;
  exited(instance, Exit{.code = 127, .text = why}, turn);
}

void ProgramGroup::ready(ProgramInstance& instance, const Turn& turn) {
  if (instance.state != ProgramState::starting) return;
  instance.state = ProgramState::ready;
  instance.ready_at = turn.now;
  instance.deadline = TimePoint::max();
  instance.expires = turn.after(program_.max_lifetime);
  if (state_.failed_number == instance.number) state_.failure.clear();
  auto line = fields(instance);
  line.emplace_back("after_ms", in_milliseconds(turn.now - instance.started));
  turn.say(routine(state_), "program ready", std::move(line));
  if (!std::exchange(instance.successor, false)) return;
  for (ProgramInstance& old : instances_) {
    // Also if it has died meanwhile, and is about to be started again.
    if (old.number == instance.number && old.id != instance.id && !old.leaving) leave(old, old.cause, turn);
  }
}

void ProgramGroup::exited(ProgramInstance& instance, const Exit& exit, const Turn& turn) {
  const bool was_told = instance.state == ProgramState::stopping && !instance.killed;
  const bool told_in_time = was_told && instance.deadline > turn.now;
  auto line = fields(instance);
  line.emplace_back("how", how_it_ended(exit));
  instance.why = how_it_ended(exit);
  log::Level level = log::Level::info;
  if (instance.leaving) {
    line.emplace_back("cause", name_of(instance.cause));
    level = routine(state_);
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
  if (exit.leftovers == 0) return conclude(instance, turn);
  instance.state = ProgramState::clearing;
  turn.act(EndLeftovers{instance.id, instance.pid, told_in_time ? instance.deadline : turn.now});
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
  if (instance.leaving || instance.successor) {
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

// --- What is due

void ProgramGroup::settle(bool may_launch, TokenBucket& launches, int& next_id, const Turn& turn) {
  keep_deadlines(turn);
  if (state_.removed) return end(Cause::reload, turn);
  if (!state_.on) return end(Cause::manual, turn);
  end_surplus(turn);
  add_missing(next_id);
  replace_next(next_id, turn);
  if (may_launch) launch_waiting(launches, turn);
}

/// Numbers are given from 0 on without a gap, so that a freed one is taken again.
void ProgramGroup::add_missing(int& next_id) {
  for (int number = 0; number < state_.wanted; ++number) {
    const bool there = std::any_of(instances_.begin(), instances_.end(), [number](const auto& one) {
      return one.number == number && !one.leaving && !one.successor;
    });
    if (there) continue;
    ProgramInstance& instance = instances_.emplace_back();
    instance.id = next_id++;
    instance.number = number;
    instance.deadline = TimePoint::min();
  }
}

void ProgramGroup::end_surplus(const Turn& turn) {
  for (ProgramInstance& instance : instances_) {
    if (instance.number >= state_.wanted) leave(instance, Cause::scale, turn);
  }
  std::erase_if(instances_, [](const auto& one) { return one.leaving && !one.occupied(); });
}

bool ProgramGroup::has_successor(const ProgramInstance& instance) const {
  return std::any_of(instances_.begin(), instances_.end(),
                     [&](const auto& other) { return other.number == instance.number && other.successor; });
}

/// One after the other: the next one's turn comes when all others are ready.
void ProgramGroup::replace_next(int& next_id, const Turn& turn) {
  const bool calm = std::all_of(instances_.begin(), instances_.end(), [&](const auto& one) {
    return one.leaving ? program_.rolls() || !one.occupied()
                       : one.state == ProgramState::ready || one.state == ProgramState::ended;
  });
  if (!calm) return;
  const auto due = std::find_if(instances_.begin(), instances_.end(), [&](const auto& one) {
    return one.state == ProgramState::ready && !one.leaving && one.cause != Cause::none && !has_successor(one);
  });
  if (due == instances_.end()) return;
  auto line = fields(*due);
  line.emplace_back("cause", name_of(due->cause));
  line.emplace_back("next", program_.rolls() ? "its successor starts first" : "it stops, then its successor starts");
  turn.say(routine(state_), "replacing program", std::move(line));
  ++state_.restarts[due->cause];
  const int number = due->number;
  const bool rolls = program_.rolls();
  if (!rolls) leave(*due, due->cause, turn);
  ProgramInstance& successor = instances_.emplace_back();
  successor.id = next_id++;
  successor.number = number;
  successor.successor = rolls;
  successor.deadline = TimePoint::min();
}

void ProgramGroup::launch_waiting(TokenBucket& launches, const Turn& turn) {
  for (ProgramInstance& instance : instances_) {
    if (instance.state != ProgramState::waiting || instance.deadline > turn.now) continue;
    // The one before it may still have what only one can have.
    const bool taken = !instance.successor && std::any_of(instances_.begin(), instances_.end(), [&](const auto& other) {
      return other.number == instance.number && other.id != instance.id && other.occupied();
    });
    if (taken && !program_.rolls()) continue;
    if (!launches.take(turn.now)) return;
    instance.state = ProgramState::starting;
    instance.started = turn.now;
    instance.deadline = turn.after(program_.ready_timeout);
    instance.outdated = false;
    turn.act(LaunchProgram{instance.id, state_.name, instance.number, program_});
  }
}

void ProgramGroup::keep_deadlines(const Turn& turn) {
  const auto rule = config::parse_ready(program_.ready);
  const bool by_age = rule && rule->kind == config::ReadyRule::Kind::alive;
  for (ProgramInstance& instance : instances_) {
    if (by_age && instance.state == ProgramState::starting && instance.pid != 0 &&
        turn.now >= instance.started + rule->alive)
      ready(instance, turn);
    if (instance.state == ProgramState::starting && turn.now >= instance.deadline) {
      auto line = fields(instance);
      line.emplace_back("after_ms", in_milliseconds(turn.now - instance.started));
      line.emplace_back("next", "killing it");
      turn.say(log::Level::error, "program is not ready in time", std::move(line));
      kill(instance, Cause::boot_failed, turn);
    } else if (instance.state == ProgramState::stopping && turn.now >= instance.deadline) {
      auto line = fields(instance);
      line.emplace_back("grace_ms", program_.grace);
      line.emplace_back("next", "killing it with all that it has started");
      turn.say(log::Level::warning, "program does not end in time", std::move(line));
      kill(instance, Cause::grace_over, turn);
    } else if (instance.state == ProgramState::ready && turn.now >= instance.expires) {
      instance.expires = TimePoint::max();
      make_due(instance, Cause::max_lifetime);
    }
  }
}

void ProgramGroup::end(Cause cause, const Turn& turn) {
  for (ProgramInstance& instance : instances_) leave(instance, cause, turn);
  std::erase_if(instances_, [](const auto& one) { return !one.occupied(); });
}

void ProgramGroup::kill_all(const Turn& turn) {
  for (ProgramInstance& instance : instances_) {
    if (instance.state == ProgramState::clearing && instance.deadline != TimePoint::min()) {
      instance.deadline = TimePoint::min();
      turn.act(EndLeftovers{instance.id, instance.pid, turn.now});
    }
    if (instance.occupied() && instance.state != ProgramState::clearing && !instance.killed)
      kill(instance, Cause::stop, turn);
  }
}

/// It is told to end, and does not come back.
void ProgramGroup::leave(ProgramInstance& instance, Cause cause, const Turn& turn) {
  if (!std::exchange(instance.leaving, true)) instance.cause = cause;
  if (!instance.runs()) return;
  if (instance.pid == 0) return;  // its launch is under way
  if (program_.grace == Duration::zero()) return kill(instance, cause, turn);
  instance.state = ProgramState::stopping;
  instance.deadline = turn.now + program_.grace;
  auto line = fields(instance);
  line.emplace_back("cause", name_of(instance.cause));
  line.emplace_back("at_most", format_duration(program_.grace));
  turn.say(routine(state_), "stopping program", std::move(line));
  turn.act(SignalProgram{instance.id, instance.pid, stop_signal_of(program_)});
}

void ProgramGroup::kill(ProgramInstance& instance, Cause cause, const Turn& turn) {
  if (instance.pid == 0) return;
  instance.state = ProgramState::stopping;
  instance.killed = true;
  instance.cause = cause;
  instance.deadline = TimePoint::max();
  turn.act(SignalProgram{instance.id, instance.pid, SIGKILL, true});
}

/// The first reason counts.
void ProgramGroup::make_due(ProgramInstance& instance, Cause cause) const {
  if (!instance.leaving && instance.cause == Cause::none) instance.cause = cause;
}

TimePoint ProgramGroup::next(const TokenBucket& launches, TimePoint now) const {
  const auto rule = config::parse_ready(program_.ready);
  TimePoint next = TimePoint::max();
  for (const ProgramInstance& instance : instances_) {
    switch (instance.state) {
      case ProgramState::waiting:
        if (instance.deadline > now) {
          next = std::min(next, instance.deadline);
        } else if (const TimePoint token = launches.available_at(now); state_.on && token > now) {
          next = std::min(next, token);
        }
        break;
      case ProgramState::starting:
        next = std::min(next, instance.deadline);
        if (rule && rule->kind == config::ReadyRule::Kind::alive) next = std::min(next, instance.started + rule->alive);
        break;
      case ProgramState::ready: next = std::min(next, instance.expires); break;
      case ProgramState::stopping: next = std::min(next, instance.deadline); break;
      case ProgramState::clearing:
      case ProgramState::ended: break;
    }
  }
  return next;
}

}  // namespace serval::supervisor
