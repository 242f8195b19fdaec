#include "supervisor/programs.hpp"

#include <algorithm>
#include <numeric>

#include "base/exit_code.hpp"
#include "supervisor/program_rules.hpp"
#include "supervisor/program_tasks.hpp"

namespace serval::supervisor {
namespace {

/// A start of all, and one replacement of each, is never slowed down; only what goes on after that, as with workers.
int launch_burst(const Settings& settings) {
  const int instances = std::accumulate(settings.programs.begin(), settings.programs.end(), 0,
                                        [](int sum, const auto& entry) { return sum + entry.second.count; });
  return 2 * instances + settings.forks_per_second;
}

bool has_ceiling(const ProgramGroup& group) {
  return group.program().memory_soft > 0 || group.program().memory_hard > 0;
}

bool is_stopping(const Turn& turn) { return turn.phase() == Phase::stopping || turn.phase() == Phase::finished; }

}  // namespace

/// New ones come with the first event. One that is not in the settings any more has its table from nowhere: it is
/// stopped by the defaults.
Programs::Programs(const Settings& settings, const ProgramsRecord& record)
    : next_id_(record.next_program), launches_(launch_burst(settings), settings.forks_per_second) {
  for (const ProgramGroupRecord& group : record.programs) {
    const auto table = settings.programs.find(group.name);
    groups_.emplace(group.name,
                    ProgramGroup(group, table == settings.programs.end() ? config::Program() : table->second));
  }
}

ProgramGroup* Programs::find(const std::string& name) {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : &found->second;
}

ProgramGroup* Programs::group_of(int id, ProgramInstance*& instance) {
  for (auto& [name, group] : groups_) {
    instance = group.find(id);
    if (instance != nullptr) return &group;
  }
  return nullptr;
}

void Programs::on(const ProgramStarted& event, const Turn& turn) {
  ProgramInstance* instance = nullptr;
  if (ProgramGroup* group = group_of(event.id, instance)) group->started(*instance, event.pid, turn);
}

void Programs::on(const ProgramNotStarted& event, const Turn& turn) {
  ProgramInstance* instance = nullptr;
  if (ProgramGroup* group = group_of(event.id, instance)) group->not_started(*instance, event.why, turn);
}

void Programs::on(const ProgramReady& event, const Turn& turn) {
  ProgramInstance* instance = nullptr;
  if (ProgramGroup* group = group_of(event.id, instance)) group->ready(*instance, turn);
}

void Programs::on(const ProgramCleared& event, const Turn& turn) {
  ProgramInstance* instance = nullptr;
  if (ProgramGroup* group = group_of(event.id, instance)) group->cleared(*instance, turn);
}

bool Programs::on_exit(pid_t pid, const Exit& exit, const Turn& turn) {
  for (auto& [name, group] : groups_) {
    ProgramInstance* instance = group.find_pid(pid);
    if (instance == nullptr) continue;
    group.exited(*instance, exit, turn);
    return true;
  }
  return false;
}

void Programs::on(const LookedAtPrograms& event, const Turn& turn) {
  looking_ = false;
  bool unsure = false;
  for (const auto& sample : event.samples) {
    ProgramInstance* instance = nullptr;
    ProgramGroup* group = group_of(sample.id, instance);
    if (group == nullptr) continue;
    group->measured(*instance, sample.memory, turn);
    unsure = unsure || instance->above_hard;
  }
  const Duration interval = turn.settings.memory.interval;
  next_look_ = turn.now + (unsure ? interval / 2 : interval);
}

void Programs::on(const ProgramOrdered& event, const Turn& turn) {
  ProgramGroup* group = find(event.name);
  if (group == nullptr || group->removed() || is_stopping(turn)) return;
  switch (event.order) {
    case ProgramOrdered::Order::start: return group->start(event.by, turn);
    case ProgramOrdered::Order::stop: return group->stop(event.by, turn);
    case ProgramOrdered::Order::replace: return group->replace_all(Cause::manual, event.by, turn);
    case ProgramOrdered::Order::renew: return group->renew(event.by, turn);
  }
}

void Programs::on(const ProgramScaled& event, const Turn& turn) {
  ProgramGroup* group = find(event.name);
  if (group != nullptr && !group->removed() && !is_stopping(turn)) group->scale(event.to, event.by, turn);
}

// --- After every event

Consequence Programs::settle(const Turn& turn) {
  if (turn.phase() == Phase::finished) return {};
  if (is_stopping(turn)) {
    stop(turn);
    return {};
  }
  if (!turn.world.rollout) reconcile(turn);
  run(turn);
  note_completion(turn);
  look_at_memory(turn);
  return look_for_the_end(turn);
}

/// What the configuration in force says of them, against what there is.
void Programs::reconcile(const Turn& turn) {
  for (auto& [name, group] : groups_) {
    if (!turn.settings.programs.contains(name)) group.remove(turn);
  }
  for (const auto& [name, program] : turn.settings.programs) {
    ProgramGroup* group = find(name);
    if (group == nullptr) {
      groups_.emplace(name, ProgramGroup(name, program));
    } else if (group->removed() || group->program() != program) {
      group->use(program, turn);
    }
    if (group != nullptr) group->follow(generation_of_tasks(turn.world), turn);
  }
  std::erase_if(groups_, [](const auto& entry) { return entry.second.removed() && entry.second.empty(); });
}

void Programs::run(const Turn& turn) {
  for (auto& [name, group] : groups_) group.settle(may_launch(group, turn), launches_, next_id_, turn);
}

bool Programs::may_launch(ProgramGroup& group, const Turn& turn) {
  if (group.begun()) return true;
  const auto is_program_up = [this](const std::string& name) {
    const ProgramGroup* other = find(name);
    return other != nullptr && is_up(other->record());
  };
  const bool app_is_up = turn.settings.has_app && turn.world.complete;
  if (!waits_for(group.program(), app_is_up, is_program_up).empty()) return false;
  group.begin();
  return true;
}

/// Those that come after others go first.
void Programs::stop(const Turn& turn) {
  for (auto& [name, group] : groups_) {
    group.end_schedule();
    if (turn.world.at_once) {
      group.kill_all(turn);
    } else if (!is_waited_for(group)) {
      group.end(Cause::stop, turn);
    }
  }
  // Deadlines hold for all of them, also for one that somebody has stopped just before.
  for (auto& [name, group] : groups_) group.keep_deadlines(turn);
}

bool Programs::is_waited_for(const ProgramGroup& group) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const auto& entry) {
    const auto& after = entry.second.program().after;
    return entry.second.occupied() && std::find(after.begin(), after.end(), group.name()) != after.end();
  });
}

void Programs::note_completion(const Turn& turn) {
  if (turn.settings.has_app || turn.world.complete) return;
  turn.world.complete = std::all_of(groups_.begin(), groups_.end(), [](const auto& entry) {
    return entry.second.scheduled() || (entry.second.begun() && is_settled(entry.second.record()));
  });
}

/// Where there is no app and nothing will ever run again, there is no server either: what has started it must see that.
Consequence Programs::look_for_the_end(const Turn& turn) const {
  const bool over = !turn.settings.has_app && !groups_.empty() && turn.phase() == Phase::running && !turn.leaving() &&
                    std::all_of(groups_.begin(), groups_.end(),
                                [](const auto& entry) { return !entry.second.empty() && entry.second.ended(); });
  if (!over) return {};
  int code = exit_code::ok;
  for (const auto& [name, group] : groups_) {
    for (const ProgramInstance& instance : group.instances()) {
      if (instance.good) continue;
      const bool gave_up = gives_up(group.program(), instance.failures);
      code = std::max(code, gave_up ? exit_code::gave_up : exit_code::app_failed);
    }
  }
  turn.say(code == exit_code::ok ? log::Level::info : log::Level::error, "all programs have ended",
           {{"exit_code", code}});
  return {.kind = Consequence::Kind::programs_ended, .exit_code = code};
}

void Programs::look_at_memory(const Turn& turn) {
  const bool any = std::any_of(groups_.begin(), groups_.end(),
                               [](const auto& entry) { return has_ceiling(entry.second) && entry.second.occupied(); });
  if (!any || looking_ || next_look_ > turn.now) return;
  looking_ = true;
  turn.act(LookAtPrograms{});
}

TimePoint Programs::next(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const auto& [name, group] : groups_) {
    next = std::min(next, group.next(launches_, now));
    if (has_ceiling(group) && group.occupied() && !looking_) next = std::min(next, next_look_);
  }
  return next;
}

// --- How things are

bool Programs::all_gone() const {
  return std::none_of(groups_.begin(), groups_.end(), [](const auto& entry) { return entry.second.occupied(); });
}

/// A launch is answered at once, and the rest is in the record; but a table that is gone is not.
std::string Programs::why_not_calm() const {
  for (const auto& [name, group] : groups_) {
    if (group.removed()) return "the program " + name + " is being stopped";
    for (const ProgramInstance& instance : group.instances()) {
      if (instance.outdated && instance.cause != Cause::none)
        return "instances of the program " + name + " are being replaced";
      if (instance.state == ProgramState::starting && instance.pid == 0) return "a task is being forked";
      if (instance.state == ProgramState::clearing)
        return "what the program " + name + " has left behind is being ended";
    }
  }
  return looking_ ? "programs are being looked at" : "";
}

Programs::Count Programs::count() const {
  Count count;
  for (const auto& [name, group] : groups_) {
    if (group.on() && !group.removed()) {
      count.scheduled += group.scheduled() ? 1 : 0;
      count.wanted += group.scheduled() ? 0 : group.wanted();
    }
    for (const ProgramInstance& one : group.instances()) {
      count.ready += one.state == ProgramState::ready && !one.leaving && !one.run ? 1 : 0;
      count.running += one.occupied() ? 1 : 0;
    }
  }
  return count;
}

ProgramsRecord Programs::record() const {
  ProgramsRecord record{.next_program = next_id_};
  for (const auto& [name, group] : groups_) record.programs.push_back(group.record());
  return record;
}

}  // namespace serval::supervisor
