#include "control/program_status.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <utility>

#include "base/cause_table.hpp"
#include "config/cron_times.hpp"
#include "control/protocol.hpp"
#include "control/values.hpp"
#include "os/time_zone.hpp"
#include "supervisor/program_rules.hpp"

namespace serval::control {
namespace {

using supervisor::ProgramState;

json::object instance_status(const supervisor::ProgramInstanceRecord& instance, const ProgramReading* reading,
                             TimePoint now) {
  const json::value null(nullptr);
  const bool waits = instance.state == ProgramState::waiting;
  const bool lives = !waits && instance.state != ProgramState::ended;
  const bool goes = instance.cause != Cause::none;
  const bool cools = waits && instance.deadline > now && instance.deadline != TimePoint::max();
  return {{"instance", instance.number},
          {"pid", lives && instance.pid != 0 ? json::value(instance.pid) : null},
          {"state", utf8(supervisor::name_of(instance.state))},
          {"cause", goes ? json::value(utf8(serval::name_of(instance.cause))) : null},
          {"age_s", lives ? json::value(milliseconds(now - instance.started) / 1000) : null},
          {"failures", instance.failures},
          {"restart_in_ms", cools ? json::value(milliseconds(instance.deadline - now)) : null},
          {"ended", text_or_null(instance.why)},
          {"outdated", instance.outdated},
          {"stopped", reading != nullptr && reading->stopped},
          {"memory_bytes", reading != nullptr && reading->memory ? json::value(*reading->memory) : null},
          {"cpu_s", reading != nullptr ? json::value(static_cast<double>(reading->cpu.count()) / 1e6) : null},
          {"status", text_or_null(reading != nullptr ? reading->status : "")}};
}

json::value seconds_or_null(std::int64_t milliseconds) {
  return milliseconds == 0 ? json::value(nullptr) : json::value(static_cast<double>(milliseconds) / 1e3);
}

json::value time_or_null(std::int64_t milliseconds) {
  return milliseconds == 0 ? json::value(nullptr)
                           : json::value(utf8(config::format_moment(milliseconds / 1000, os::offset_at)));
}

json::object schedule_status(const supervisor::ProgramGroupRecord& group) {
  const supervisor::ScheduleRecord& schedule = group.schedule;
  json::object runs;
  for (const auto& [result, count] : schedule.runs) {
    const std::string_view name = supervisor::name_of(result);
    runs.emplace(json::string_view(name.data(), name.size()), count);
  }
  json::value last(nullptr);
  if (schedule.ran) {
    last = {{"began", time_or_null(schedule.began_ms)},
            {"began_at_s", seconds_or_null(schedule.began_ms)},
            {"took_ms", schedule.took_ms},
            {"result", utf8(supervisor::name_of(schedule.result))},
            {"how", utf8(schedule.how)}};
  }
  const std::int64_t next_ms = group.on ? schedule.next_ms : 0;
  return {{"when", utf8(group.rule)},
          {"next", time_or_null(next_ms)},
          {"next_at_s", seconds_or_null(next_ms)},
          {"last", std::move(last)},
          {"succeeded_at_s", seconds_or_null(schedule.succeeded_ms)},
          {"runs", std::move(runs)}};
}

json::object program_status(const supervisor::ProgramGroupRecord& group, const std::vector<ProgramReading>& readings,
                            TimePoint now, const config::Program* table) {
  auto rows = group.instances;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return std::pair(a.number, a.id) < std::pair(b.number, b.id); });
  json::array instances;
  for (const auto& row : rows) {
    const auto reading =
        std::find_if(readings.begin(), readings.end(), [&](const ProgramReading& one) { return one.id == row.id; });
    json::object instance = instance_status(row, reading == readings.end() ? nullptr : &*reading, now);
    instance["log_file"] = text_or_null(table == nullptr ? "" : table->log_of(row.number));
    instances.push_back(std::move(instance));
  }
  json::object restarts;
  for (const auto& [cause, count] : group.restarts) {
    const std::string_view name = serval::name_of(cause);
    restarts.emplace(json::string_view(name.data(), name.size()), count);
  }
  return {{"name", utf8(group.name)},
          {"task", text_or_null(group.task)},
          {"schedule", group.scheduled ? json::value(schedule_status(group)) : json::value(nullptr)},
          {"wanted", group.wanted},
          {"on", group.on},
          {"up", supervisor::is_up(group)},
          {"failure", text_or_null(group.failure)},
          {"restarts", std::move(restarts)},
          {"instances", std::move(instances)}};
}

}  // namespace

json::array programs_status(const supervisor::Snapshot& snapshot, const std::vector<ProgramReading>& readings,
                            TimePoint now, const config::Programs* tables) {
  json::array programs;
  for (const auto& group : snapshot.programs) {
    const bool known = tables != nullptr && tables->contains(group.name);
    programs.push_back(program_status(group, readings, now, known ? &tables->at(group.name) : nullptr));
  }
  return programs;
}

}  // namespace serval::control
