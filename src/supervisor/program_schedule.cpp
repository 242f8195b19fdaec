#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "supervisor/backoff.hpp"
#include "supervisor/program_group.hpp"
#include "supervisor/program_rules.hpp"
#include "supervisor/schedule.hpp"

/// The runs of a ProgramGroup with a schedule: an instance is one run, and there is none between them.
namespace serval::supervisor {
namespace {

/// With overlap = "allow": a job that hangs each time must not fill the machine.
constexpr int kMostRunsAtATime = 32;

Moment moment_of(const Turn& turn) { return {turn.now, turn.world.wall, turn.settings.offset_at}; }

/// Runs that are due at other times than before.
bool same_schedule(const config::Program& one, const config::Program& other) {
  return one.every == other.every && one.cron == other.cron;
}

bool is_failure(RunResult result) { return result == RunResult::failure || result == RunResult::timeout; }

}  // namespace

/// What goes on by the schedule is brought to its end; what was there to be kept running has to make room for it, and
/// the other way round.
void ProgramGroup::use_with_schedule(const config::Program& program, const Turn& turn) {
  const bool other_kind = program_.scheduled() != program.scheduled();
  if (other_kind || !same_schedule(program_, program)) state_.schedule.begun = false;
  for (ProgramInstance& instance : instances_) {
    if (other_kind) leave(instance, Cause::reload, turn);
    if (instance.runs() && !instance.leaving && !same_when_launched(program_, program)) instance.outdated = true;
  }
  std::erase_if(instances_, [](const auto& instance) { return !instance.occupied(); });
  end_schedule();
  program_ = program;
  state_.wanted = program.count;
  state_.removed = false;
  state_.failure.clear();
  follow_table();
}

/// None begins any more once a stop was asked for: it would be told to end at once.
void ProgramGroup::keep_schedule(int& next_id, const Turn& turn) {
  if (turn.leaving()) return end_schedule();
  ScheduleRecord& schedule = state_.schedule;
  const Moment moment = moment_of(turn);
  if (!schedule.begun) {
    begin_schedule(schedule, program_, moment);
    run_due_ = next_due(schedule, program_, moment);
    turn.say(log::Level::info, "program is scheduled",
             {{"program", state_.name}, {"when", state_.rule}, {"next", next_run_in_words(turn)}});
  }
  const Due due = take_due(schedule, program_, moment);
  run_due_ = next_due(schedule, program_, moment);
  schedule.next_ms =
      run_due_ == TimePoint::max()
          ? 0
          : in_unix_ms(moment.wall + std::chrono::duration_cast<WallTime::duration>(run_due_ - turn.now));
  if (due.missed > 0) {
    schedule.runs[RunResult::missed] += static_cast<std::uint64_t>(due.missed);
    turn.say(log::Level::warning, "runs of a program were missed",
             {{"program", state_.name},
              {"runs", due.missed},
              {"next", due.run ? std::string("it runs now, once") : next_run_in_words(turn)}});
  }
  if (due.run || run_now_) begin_run(next_id, turn);
  run_now_ = false;
}

void ProgramGroup::begin_run(int& next_id, const Turn& turn) {
  const auto waiting = std::find_if(instances_.begin(), instances_.end(),
                                    [](const auto& one) { return one.state == ProgramState::waiting && !one.leaving; });
  if (waiting != instances_.end()) {  // to be tried again, or for what it comes after: this is its turn as well
    waiting->failures = 0;
    waiting->deadline = turn.now;
    return;
  }
  const std::size_t most = state_.overlaps ? kMostRunsAtATime : 1;
  if (instances_.size() >= most) return skip_run(instances_.front(), turn);
  int number = 0;
  while (std::any_of(instances_.begin(), instances_.end(), [&](const auto& one) { return one.number == number; }))
    ++number;
  ProgramInstance& instance = instances_.emplace_back();
  instance.id = next_id++;
  instance.number = number;
  instance.run = true;
  instance.deadline = TimePoint::min();
}

void ProgramGroup::skip_run(const ProgramInstance& other, const Turn& turn) {
  ++state_.schedule.runs[RunResult::skipped];
  turn.say(log::Level::warning, "program run skipped",
           {{"program", state_.name},
            {"why", state_.overlaps ? "too many runs go on" : "the last run still goes on"},
            {"program_pid", other.pid},
            {"since_ms", in_milliseconds(turn.now - other.started)},
            {"next", next_run_in_words(turn)}});
}

void ProgramGroup::run_began(ProgramInstance& instance, const Turn& turn) {
  if (instance.state != ProgramState::starting) return;
  become_ready(instance, turn);
  state_.failure.clear();
}

void ProgramGroup::end_overdue_run(ProgramInstance& instance, const Turn& turn) {
  instance.overdue = true;
  auto line = fields(instance);
  line.emplace_back("max_lifetime", format_duration(program_.max_lifetime));
  line.emplace_back("next", "ending it");
  turn.say(log::Level::error, "program run takes too long", std::move(line));
  leave(instance, Cause::max_lifetime, turn);
}

void ProgramGroup::run_ended(ProgramInstance& instance, const Exit& exit, const Turn& turn) {
  const bool began = instance.pid != 0;
  const auto result = [&] {
    if (instance.overdue) return RunResult::timeout;
    if (instance.leaving) return RunResult::stopped;
    if (instance.killed) return RunResult::failure;
    config::Program once = program_;
    once.restart = config::ProgramRestart::never;
    return after_end(once, exit) == AfterEnd::succeeded ? RunResult::success : RunResult::failure;
  }();
  instance.why = how_it_ended(exit);
  if (!began) {
    state_.failure = "a run did not start: " + instance.why;
    state_.failed_number = instance.number;
  }
  std::string next;
  instance.then = decide_what_follows_run(instance, result, next, turn);
  instance.cause = exit.oom ? Cause::oom : began ? Cause::crash : Cause::boot_failed;
  note_run(instance, result, turn);
  auto line = fields(instance);
  line.emplace_back("result", name_of(result));
  line.emplace_back("how", instance.why);
  line.emplace_back("took_ms", in_milliseconds(turn.now - instance.started));
  if (exit.leftovers > 0) line.emplace_back("left_behind", exit.leftovers);
  if (!next.empty()) line.emplace_back("next", next);
  turn.say(is_failure(result) ? log::Level::error : log::Level::info,
           began ? "program run ended" : "program run not started", std::move(line));
  clear(instance, exit, turn);
}

/// It is tried again only as long as the schedule does not do so itself.
ProgramState ProgramGroup::decide_what_follows_run(ProgramInstance& instance, RunResult result, std::string& next,
                                                   const Turn& turn) {
  instance.good = result == RunResult::success;
  next = next_run_in_words(turn);
  if (result != RunResult::failure || program_.restart != config::ProgramRestart::on_failure)
    return ProgramState::ended;
  Backoff backoff(instance.failures);
  const Duration delay = backoff.crashed(turn.settings.restart, turn.now - instance.started, turn.world.random);
  instance.failures = backoff.crashes_in_a_row();
  if (gives_up(program_, instance.failures) || turn.now + delay >= run_due_) return ProgramState::ended;
  next = restarting_in(delay);
  instance.deadline = turn.now + delay;
  return ProgramState::waiting;
}

void ProgramGroup::note_run(const ProgramInstance& instance, RunResult result, const Turn& turn) {
  ScheduleRecord& schedule = state_.schedule;
  ++schedule.runs[result];
  schedule.ran = true;
  schedule.result = result;
  schedule.how = instance.why;
  schedule.took_ms = in_milliseconds(turn.now - instance.started).count();
  const std::int64_t ended_ms = in_unix_ms(turn.world.wall);
  schedule.began_ms = ended_ms - schedule.took_ms;
  if (result == RunResult::success) schedule.succeeded_ms = ended_ms;
}

/// A wall clock's time only where it counts.
std::string ProgramGroup::next_run_in_words(const Turn& turn) const {
  if (!state_.on || state_.removed || run_due_ == TimePoint::max()) return {};
  if (!program_.cron.empty())
    return "its next run is due at " + config::format_moment(state_.schedule.next, turn.settings.offset_at);
  const auto left = std::chrono::ceil<std::chrono::seconds>(std::max(run_due_ - turn.now, Clock::duration::zero()));
  return "its next run is due in " + format_duration(left);
}

}  // namespace serval::supervisor
