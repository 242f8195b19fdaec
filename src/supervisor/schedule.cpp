#include "supervisor/schedule.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/units.hpp"
#include "config/cron.hpp"

namespace serval::supervisor {
namespace {

using std::chrono::seconds;

/// One that is late by no more than this is on time: a busy machine, a clock that is corrected.
constexpr seconds kPunctual{10};
/// As cronie has it: a clock that goes back by more than this had been wrong, and what it had shown does not count.
constexpr seconds kCorrection = std::chrono::hours(3);
/// What has been missed is not counted beyond: a clock may jump by years.
constexpr std::int64_t kMostMissed = 1000;

std::int64_t in_seconds(WallTime wall) { return std::chrono::floor<seconds>(wall.time_since_epoch()).count(); }

void look_ahead(ScheduleRecord& schedule, const config::Program& program, const Moment& moment) {
  const auto cron = config::parse_cron(program.cron);
  schedule.next = cron ? config::next_after(*cron, schedule.seen, moment.offset_at).value_or(0) : 0;
}

/// `on_time`: the last of `due` runs is. However many there were, one takes place at most.
Due decide(std::int64_t due, bool on_time, const config::Program& program) {
  if (due == 0) return {};
  const bool run = on_time || program.missed == config::ProgramMissed::run;
  return {.run = run, .missed = run ? due - 1 : due};
}

Due take_due_by_age(ScheduleRecord& schedule, const config::Program& program, TimePoint now) {
  const std::int64_t due = (now - schedule.origin) / program.every;
  if (due <= schedule.due) return {};
  const bool on_time = now - (schedule.origin + due * program.every) <= kPunctual;
  return decide(due - std::exchange(schedule.due, due), on_time, program);
}

Due take_due_by_clock(ScheduleRecord& schedule, const config::Program& program, const Moment& moment) {
  const std::int64_t now = in_seconds(moment.wall);
  if (now < schedule.seen - kCorrection.count()) {
    schedule.seen = now;
    look_ahead(schedule, program, moment);
  }
  if (schedule.next == 0 || now < schedule.next) return {};
  const auto cron = config::parse_cron(program.cron);
  if (!cron) return {};
  std::int64_t due = 0;
  for (std::optional<std::int64_t> at = schedule.next; at && *at <= now && due < kMostMissed; ++due)
    at = config::next_after(*cron, *at, moment.offset_at);
  const std::int64_t recent = std::max(schedule.next, now - kPunctual.count()) - 1;
  const auto last = config::next_after(*cron, recent, moment.offset_at);
  schedule.seen = now;
  look_ahead(schedule, program, moment);
  return decide(due, last && *last <= now, program);
}

}  // namespace

void begin_schedule(ScheduleRecord& schedule, const config::Program& program, const Moment& moment) {
  schedule.begun = true;
  schedule.origin = moment.steady;
  schedule.due = 0;
  schedule.seen = in_seconds(moment.wall);
  schedule.next = 0;
  if (!program.cron.empty()) look_ahead(schedule, program, moment);
}

Due take_due(ScheduleRecord& schedule, const config::Program& program, const Moment& moment) {
  return program.cron.empty() ? take_due_by_age(schedule, program, moment.steady)
                              : take_due_by_clock(schedule, program, moment);
}

TimePoint next_due(const ScheduleRecord& schedule, const config::Program& program, const Moment& moment) {
  if (program.cron.empty()) return schedule.origin + (schedule.due + 1) * program.every;
  if (schedule.next == 0) return TimePoint::max();
  return moment.steady + (WallTime(seconds(schedule.next)) - moment.wall);
}

std::string rule_of(const config::Program& program) {
  return program.cron.empty() ? "every " + format_duration(program.every) : program.cron;
}

std::int64_t in_unix_ms(WallTime wall) { return std::chrono::floor<Duration>(wall.time_since_epoch()).count(); }

}  // namespace serval::supervisor
