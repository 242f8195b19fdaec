#include "supervisor/program_group.hpp"

#include <algorithm>

#include "config/program_values.hpp"
#include "supervisor/program_rules.hpp"
#include "supervisor/program_tasks.hpp"
#include "supervisor/schedule.hpp"

namespace serval::supervisor {
ProgramGroup::ProgramGroup(std::string name, config::Program program) : program_(std::move(program)) {
  state_.name = std::move(name);
  state_.wanted = program_.count;
  follow_table();
}

ProgramGroup::ProgramGroup(const ProgramGroupRecord& record, config::Program program)
    : state_(record), program_(std::move(program)) {
  for (const ProgramInstanceRecord& instance : record.instances) instances_.emplace_back(instance);
  state_.instances.clear();
  follow_table();
}

void ProgramGroup::follow_table() {
  state_.scheduled = program_.scheduled();
  state_.overlaps = program_.overlap == config::ProgramOverlap::allow;
  state_.rule = state_.scheduled ? rule_of(program_) : "";
  const auto ready = config::parse_ready(program_.ready);
  ready_age_ = ready && ready->kind == config::ReadyRule::Kind::alive ? std::optional(ready->alive) : std::nullopt;
}

ProgramGroupRecord ProgramGroup::record() const {
  ProgramGroupRecord record = state_;
  record.task = program_.run;
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

// --- What is wanted of it

void ProgramGroup::use(const config::Program& program, const Turn& turn) {
  if (program_.scheduled() || program.scheduled()) return use_with_schedule(program, turn);
  const bool anew = !same_when_launched(program_, program);
  if (program.count != program_.count) state_.wanted = program.count;
  program_ = program;
  follow_table();
  state_.removed = false;
  state_.failure.clear();
  if (anew) begin_anew(turn);
}

void ProgramGroup::renew(const std::string& by, const Turn& turn) {
  state_.failure.clear();
  if (!state_.on || program_.scheduled()) return;  // as with replace_all()
  turn.say(log::Level::info, "replacing the instances of a program", {{"program", state_.name}, {"by", by}});
  begin_anew(turn);
}

/// Those that have ended for good are taken for new ones, as after serval start: what has changed may be what was
/// wrong.
void ProgramGroup::begin_anew(const Turn& turn) {
  for (ProgramInstance& instance : instances_) begin_anew(instance, turn);
  std::erase_if(instances_, [](const auto& instance) { return instance.state == ProgramState::ended; });
}

/// What it runs by is not what is wanted now.
void ProgramGroup::begin_anew(ProgramInstance& instance, const Turn& turn) {
  if (instance.state == ProgramState::starting) leave(instance, Cause::reload, turn);  // it may never be ready
  if (instance.runs() && !instance.leaving) instance.outdated = true;
  if (instance.runs()) make_due(instance, Cause::reload);
  if (instance.state == ProgramState::waiting) instance.deadline = turn.now;
}

/// Once for each change: a replacement that fails leaves the instances that run as they are. One that has failed for
/// good has another chance with other code; one that is done does not do it again. A run of a schedule is brought to
/// its end, and the next one is of the new code anyway.
void ProgramGroup::follow(int generation, const Turn& turn) {
  if (!program_.is_task() || program_.scheduled() || std::exchange(state_.followed, generation) == generation) return;
  for (ProgramInstance& instance : instances_) {
    if (instance.generation == 0 || instance.generation == generation || instance.leaving) continue;
    if (instance.state == ProgramState::ended && !instance.good) instance.state = ProgramState::waiting;
    begin_anew(instance, turn);
  }
}

void ProgramGroup::remove(const Turn& turn) {
  if (std::exchange(state_.removed, true)) return;
  turn.say(log::Level::info, "program is not in the configuration any more, stopping it", {{"program", state_.name}});
}

void ProgramGroup::start(const std::string& by, const Turn& turn) {
  state_.failure.clear();
  turn.say(log::Level::info, "program is to run", {{"program", state_.name}, {"by", by}});
  run_now_ = program_.scheduled();
  if (!std::exchange(state_.on, true)) state_.schedule.begun = false;
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
  if (program_.scheduled()) return;  // what goes on is brought to its end, and the next run is a new one anyway
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

// --- What is due

void ProgramGroup::settle(bool may_launch, TokenBucket& launches, int& next_id, const Turn& turn) {
  keep_deadlines(turn);
  if (state_.removed) return end(Cause::reload, turn);
  if (!state_.on) return end(Cause::manual, turn);
  if (program_.scheduled()) {
    keep_schedule(next_id, turn);
  } else {
    end_surplus(turn);
    add_missing(next_id);
    replace_next(next_id, turn);
  }
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
  turn.say(routine(), "replacing program", std::move(line));
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
    const int generation = program_.is_task() ? generation_of_tasks(turn.world) : 0;
    if (program_.is_task() && !can_fork_tasks(turn.world, generation)) continue;  // once its mold has loaded
    if (!launches.take(turn.now)) return;
    instance.generation = generation;
    instance.state = ProgramState::starting;
    instance.started = turn.now;
    instance.deadline = turn.after(program_.ready_timeout);
    instance.outdated = false;
    turn.act(LaunchProgram{instance.id, state_.name, instance.number, program_, generation});
  }
}

void ProgramGroup::keep_deadlines(const Turn& turn) {
  for (ProgramInstance& instance : instances_) {
    if (ready_age_ && instance.state == ProgramState::starting && instance.pid != 0 &&
        turn.now >= instance.started + *ready_age_)
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
      if (instance.run) {
        end_overdue_run(instance, turn);
        continue;
      }
      make_due(instance, Cause::max_lifetime);
    }
  }
}

/// The first reason counts.
void ProgramGroup::make_due(ProgramInstance& instance, Cause cause) const {
  if (!instance.leaving && instance.cause == Cause::none) instance.cause = cause;
}

TimePoint ProgramGroup::next(const TokenBucket& launches, TimePoint now) const {
  TimePoint next = run_due_;
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
        if (instance.pid != 0 && ready_age_) next = std::min(next, instance.started + *ready_age_);
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
