#include "admin/program_metrics.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/metric_table.hpp"
#include "control/shown.hpp"

namespace serval::admin {

namespace json = boost::json;
using control::count_at;
using control::number_at;
using control::objects_in;

namespace {

constexpr double kMillisecondsPerSecond = 1e3;

/// Numbers that are wanted and of which nothing runs are there with 0, so that an alert finds them.
void write_programs(Exposition& out, const json::object& status) {
  const auto programs = objects_in(status, "programs");
  if (programs.empty()) return;
  const auto each = [&](Metric metric, auto write) {
    out.family(metric);
    for (const json::object* program : programs) {
      std::map<std::string, const json::object*> last;  // of a number: a successor comes after the one that goes
      for (const json::object* instance : objects_in(*program, "instances"))
        last[control::number(*instance, "instance")] = instance;
      for (const auto& [number, instance] : last)
        write(*instance, Labels{{"program", control::text_at(*program, "name")}, {"instance", number}});
    }
  };
  each(Metric::program_up, [&](const json::object& instance, const Labels& labels) {
    out.sample(std::uint64_t{control::text_at(instance, "state") == "ready" ? 1u : 0u}, labels);
  });
  out.family(Metric::program_restarts);
  for (const json::object* program : programs) {
    const json::object* restarts = control::object_in(*program, "restarts");
    if (restarts == nullptr) continue;
    for (const auto& entry : *restarts) {
      const std::string_view cause(entry.key().data(), entry.key().size());
      out.sample(count_at(*restarts, cause),
                 {{"program", control::text_at(*program, "name")}, {"cause", std::string(cause)}});
    }
  }
  each(Metric::program_memory_bytes, [&](const json::object& instance, const Labels& labels) {
    if (const auto bytes = number_at(instance, "memory_bytes")) out.sample(static_cast<std::uint64_t>(*bytes), labels);
  });
  each(Metric::program_cpu_seconds, [&](const json::object& instance, const Labels& labels) {
    if (const auto seconds = control::decimal_at(instance, "cpu_s")) out.sample(*seconds, labels);
  });
}

/// Results that there have not been are there with 0: an increase from nothing to 1 would be lost.
void write_schedules(Exposition& out, const json::object& status) {
  std::vector<std::pair<std::string, const json::object*>> schedules;
  for (const json::object* program : objects_in(status, "programs")) {
    if (const json::object* schedule = control::object_in(*program, "schedule"))
      schedules.emplace_back(control::text_at(*program, "name"), schedule);
  }
  if (schedules.empty()) return;
  out.family(Metric::program_runs);
  for (const auto& [name, schedule] : schedules) {
    const json::object* runs = control::object_in(*schedule, "runs");
    for (const char* result : {"success", "failure", "timeout", "stopped", "skipped", "missed"})
      out.sample(runs == nullptr ? 0 : count_at(*runs, result), {{"program", name}, {"result", result}});
  }
  const auto each = [&](Metric metric, auto value_of) {
    out.family(metric);
    for (const auto& [name, schedule] : schedules) {
      if (const std::optional<double> value = value_of(*schedule)) out.sample(*value, {{"program", name}});
    }
  };
  each(Metric::program_last_success_timestamp_seconds,
       [&](const json::object& schedule) { return control::decimal_at(schedule, "succeeded_at_s"); });
  each(Metric::program_last_run_duration_seconds, [](const json::object& schedule) -> std::optional<double> {
    const json::object* last = control::object_in(schedule, "last");
    const auto took = last == nullptr ? std::nullopt : number_at(*last, "took_ms");
    if (!took) return {};
    return static_cast<double>(*took) / kMillisecondsPerSecond;
  });
  each(Metric::program_next_run_timestamp_seconds,
       [&](const json::object& schedule) { return control::decimal_at(schedule, "next_at_s"); });
}

}  // namespace

void write_program_metrics(Exposition& out, const json::object& status) {
  write_programs(out, status);
  write_schedules(out, status);
}

}  // namespace serval::admin
