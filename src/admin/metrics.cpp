#include "admin/metrics.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "admin/app_metrics.hpp"
#include "admin/metric_table.hpp"
#include "base/cause_table.hpp"
#include "control/protocol.hpp"
#include "control/shown.hpp"

namespace serval::admin {
namespace {

namespace json = boost::json;
using control::number_at;
using control::objects_in;

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kMicrosecondsPerSecond = 1e6;
constexpr double kMillisecondsPerSecond = 1e3;

void begin(Exposition& out, Metric metric) {
  const MetricRow& row = row_of(metric);
  out.family(row.name, row.type, row.help, row.unit);
}

double seconds(std::uint64_t count, double per_second) { return static_cast<double>(count) / per_second; }

std::uint64_t unsigned_at(const json::object& object, std::string_view key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number_at(object, key).value_or(0), 0));
}

// --- requests: what workers count, over all of their lives

constexpr std::array kCounterMetrics{std::pair{scoreboard::Counter::timeouts, Metric::request_timeouts},
                                     std::pair{scoreboard::Counter::overloads, Metric::requests_refused},
                                     std::pair{scoreboard::Counter::clients_gone, Metric::clients_gone},
                                     std::pair{scoreboard::Counter::connections, Metric::connections_accepted},
                                     std::pair{scoreboard::Counter::bytes_in, Metric::request_body_bytes},
                                     std::pair{scoreboard::Counter::bytes_out, Metric::response_body_bytes}};
constexpr std::array kHistogramMetrics{
    std::pair{scoreboard::Histogram::request_duration, Metric::request_duration_seconds},
    std::pair{scoreboard::Histogram::queue_wait, Metric::queue_wait_seconds}};

/// Shown before the first answer: a rate of what has come into being with its first count misses that one.
constexpr std::array kUsualStatuses{200, 500, 503, 504};

std::string utf8(const std::string& text) {
  const json::string sound = control::utf8(text);
  return {sound.data(), sound.size()};
}

/// An exemplar's label set may have 128 characters (OpenMetrics 1.0, Exemplars): both names and ids fit.
std::vector<Exemplar> exemplars_of(const MetricSources& sources) {
  std::vector<Exemplar> result;
  for (const scoreboard::Exemplar& from : sources.exemplars) {
    Exemplar& exemplar = result.emplace_back();
    if (from.at == TimePoint{} || from.request_id.empty()) continue;
    exemplar.labels.push_back({"request_id", utf8(from.request_id)});
    if (!from.trace_id.empty()) exemplar.labels.push_back({"trace_id", utf8(from.trace_id)});
    exemplar.value = std::chrono::duration<double>(from.duration).count();
    const auto age = std::chrono::duration<double>(sources.now - from.at);
    exemplar.at = std::chrono::duration<double>(sources.wall_now.time_since_epoch()).count() - age.count();
  }
  return result;
}

void write_requests(Exposition& out, const MetricSources& sources) {
  const scoreboard::Totals& totals = sources.totals;
  const std::vector<Exemplar> exemplars = exemplars_of(sources);
  begin(out, Metric::requests);
  for (int status = scoreboard::kFirstStatus; scoreboard::is_status(status); ++status) {
    const bool usual = std::find(kUsualStatuses.begin(), kUsualStatuses.end(), status) != kUsualStatuses.end();
    if (const std::uint64_t count = totals.answers_with(status); count > 0 || usual)
      out.sample(count, {{"code", std::to_string(status)}});
  }
  for (const auto& [counter, metric] : kCounterMetrics) {
    begin(out, metric);
    out.sample(totals.of(counter));
  }
  for (const auto& [histogram, metric] : kHistogramMetrics) {
    const scoreboard::HistogramTotals& values = totals.of(histogram);
    begin(out, metric);
    out.sample(HistogramValue{
        .bounds = scoreboard::kBounds,
        .counts = values.counts,
        .sum = seconds(values.sum_ns, kNanosecondsPerSecond),
        .exemplars = histogram == scoreboard::Histogram::request_duration ? exemplars : std::span<const Exemplar>()});
  }
}

// --- workers: what the master says

struct Fleet {
  std::map<std::string, std::uint64_t> states;
  std::uint64_t connections = 0, running = 0, waiting = 0, idle_threads = 0, ready = 0;
  std::int64_t oldest_ms = 0;
};

Fleet fleet_of(const json::object& status) {
  Fleet fleet;
  for (const char* state : {"starting", "serving", "draining", "killing", "cooling"}) fleet.states[state];
  for (const json::object* worker : objects_in(status, "workers")) {
    const std::string state = control::text_at(*worker, "state");
    const std::uint64_t running = unsigned_at(*worker, "running");
    ++fleet.states[state];
    fleet.connections += unsigned_at(*worker, "connections");
    fleet.running += running;
    fleet.waiting += unsigned_at(*worker, "waiting");
    if (const std::uint64_t threads = unsigned_at(*worker, "threads"); state == "serving" && threads > running)
      fleet.idle_threads += threads - running;
    if (control::flag_at(*worker, "ready")) ++fleet.ready;
    for (const json::object* request : objects_in(*worker, "in_progress"))
      fleet.oldest_ms = std::max(fleet.oldest_ms, number_at(*request, "age_ms").value_or(0));
  }
  return fleet;
}

void gauge(Exposition& out, Metric metric, std::uint64_t value) {
  begin(out, metric);
  out.sample(value);
}

void write_fleet(Exposition& out, const json::object& status) {
  const Fleet fleet = fleet_of(status);
  begin(out, Metric::workers);
  for (const auto& [state, count] : fleet.states) out.sample(count, {{"state", state}});
  gauge(out, Metric::workers_wanted, unsigned_at(status, "workers_wanted"));
  gauge(out, Metric::workers_ready, fleet.ready);
  begin(out, Metric::connections);
  const std::uint64_t active = std::min(fleet.running + fleet.waiting, fleet.connections);
  out.sample(active, {{"state", "active"}});
  out.sample(fleet.connections - active, {{"state", "idle"}});
  begin(out, Metric::threads);
  out.sample(fleet.running, {{"state", "busy"}});
  out.sample(fleet.idle_threads, {{"state", "idle"}});
  gauge(out, Metric::requests_waiting, fleet.waiting);
  begin(out, Metric::oldest_request_age_seconds);
  out.sample(seconds(static_cast<std::uint64_t>(fleet.oldest_ms), kMillisecondsPerSecond));
}

/// One family after the other, as the formats want it.
void write_each_worker(Exposition& out, const json::object& status) {
  const auto workers = objects_in(status, "workers");
  const auto slot_of = [](const json::object& worker) { return control::number(worker, "slot"); };
  begin(out, Metric::worker_memory_bytes);
  for (const json::object* worker : workers) {
    const json::object* memory = control::object_in(*worker, "memory");
    if (memory == nullptr || control::text_at(*worker, "state") == "draining") continue;  // the slot is its successor's
    for (const char* measure : {"pss", "rss", "uss"}) {
      if (const auto bytes = number_at(*memory, measure))
        out.sample(static_cast<std::uint64_t>(*bytes), {{"slot", slot_of(*worker)}, {"measure", measure}});
    }
  }
  begin(out, Metric::worker_heartbeat_age_seconds);
  for (const json::object* worker : workers) {
    const auto age = number_at(*worker, "beat_age_ms");
    if (age && control::text_at(*worker, "state") == "serving")
      out.sample(seconds(static_cast<std::uint64_t>(*age), kMillisecondsPerSecond), {{"slot", slot_of(*worker)}});
  }
}

void write_counts_of(Exposition& out, const json::object* counts, std::string_view label) {
  if (counts == nullptr) return;
  for (const auto& entry : *counts) {
    const std::string_view key(entry.key().data(), entry.key().size());
    out.sample(unsigned_at(*counts, key), {{label, std::string(key)}});
  }
}

/// Causes that have not come yet are there with 0: a rate of what appears with its first event misses that one.
void write_restarts(Exposition& out, const json::object& status) {
  begin(out, Metric::worker_restarts);
  const json::object* ended = control::object_in(status, "ended");
  for (const auto& row : kCauseTable) {
    if (row.cause == Cause::none) continue;
    out.sample(ended == nullptr ? 0 : unsigned_at(*ended, row.name), {{"cause", std::string(row.name)}});
  }
  begin(out, Metric::reloads);
  write_counts_of(out, control::object_in(status, "reloads"), "result");
  gauge(out, Metric::generation, unsigned_at(status, "generation"));
}

/// A gauge in seconds from the status' milliseconds; nothing where there is none.
void write_generations(Exposition& out, const json::object& status) {
  constexpr std::array kRows{std::pair{Metric::generation_requests, "requests"},
                             std::pair{Metric::generation_errors, "errors"}};
  const auto generations = objects_in(status, "generations");
  for (const auto& [metric, key] : kRows) {
    begin(out, metric);
    for (const json::object* generation : generations)
      out.sample(unsigned_at(*generation, key), {{"generation", control::number(*generation, "number")}});
  }
  begin(out, Metric::generation_duration_p95_seconds);
  for (const json::object* generation : generations) {
    const auto* value = generation->if_contains("p95_ms");
    if (value == nullptr || !value->is_number()) continue;
    out.sample(value->to_number<double>() / kMillisecondsPerSecond,
               {{"generation", control::number(*generation, "number")}});
  }
}

void write_listeners(Exposition& out, const json::object& status) {
  constexpr std::array kRows{std::pair{Metric::accept_queue_length, "queue"},
                             std::pair{Metric::accept_queue_limit, "limit"}};
  for (const auto& [metric, key] : kRows) {
    begin(out, metric);
    for (const json::object* listener : objects_in(status, "listeners")) {
      if (const auto value = number_at(*listener, key))
        out.sample(static_cast<std::uint64_t>(*value), {{"address", control::text_at(*listener, "address")}});
    }
  }
}

/// Numbers that are wanted and of which nothing runs are there with 0, so that an alert finds them.
void write_programs(Exposition& out, const json::object& status) {
  const auto programs = objects_in(status, "programs");
  if (programs.empty()) return;
  const auto each = [&](Metric metric, auto write) {
    begin(out, metric);
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
  begin(out, Metric::program_restarts);
  for (const json::object* program : programs) {
    const json::object* restarts = control::object_in(*program, "restarts");
    if (restarts == nullptr) continue;
    for (const auto& entry : *restarts) {
      const std::string_view cause(entry.key().data(), entry.key().size());
      out.sample(unsigned_at(*restarts, cause),
                 {{"program", control::text_at(*program, "name")}, {"cause", std::string(cause)}});
    }
  }
  each(Metric::program_memory_bytes, [&](const json::object& instance, const Labels& labels) {
    if (const auto bytes = number_at(instance, "memory_bytes")) out.sample(static_cast<std::uint64_t>(*bytes), labels);
  });
  each(Metric::program_cpu_seconds, [&](const json::object& instance, const Labels& labels) {
    const auto* value = instance.if_contains("cpu_s");
    if (value != nullptr && value->is_number()) out.sample(value->to_number<double>(), labels);
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
  begin(out, Metric::program_runs);
  for (const auto& [name, schedule] : schedules) {
    const json::object* runs = control::object_in(*schedule, "runs");
    for (const char* result : {"success", "failure", "timeout", "stopped", "skipped", "missed"})
      out.sample(runs == nullptr ? 0 : unsigned_at(*runs, result), {{"program", name}, {"result", result}});
  }
  const auto each = [&](Metric metric, auto value_of) {
    begin(out, metric);
    for (const auto& [name, schedule] : schedules) {
      if (const std::optional<double> value = value_of(*schedule)) out.sample(*value, {{"program", name}});
    }
  };
  const auto seconds_at = [](const json::object& schedule, std::string_view key) -> std::optional<double> {
    const auto* value = schedule.if_contains(json::string_view(key.data(), key.size()));
    if (value == nullptr || !value->is_number()) return {};
    return value->to_number<double>();
  };
  each(Metric::program_last_success_timestamp_seconds,
       [&](const json::object& schedule) { return seconds_at(schedule, "succeeded_at_s"); });
  each(Metric::program_last_run_duration_seconds, [](const json::object& schedule) -> std::optional<double> {
    const json::object* last = control::object_in(schedule, "last");
    const auto took = last == nullptr ? std::nullopt : number_at(*last, "took_ms");
    if (!took) return {};
    return static_cast<double>(*took) / kMillisecondsPerSecond;
  });
  each(Metric::program_next_run_timestamp_seconds,
       [&](const json::object& schedule) { return seconds_at(schedule, "next_at_s"); });
}

void write_master(Exposition& out, const Status& status) {
  gauge(out, Metric::up, status ? 1 : 0);
  if (!status) return;
  gauge(out, Metric::live, control::flag_at(*status, "live") ? 1 : 0);
  gauge(out, Metric::ready, control::flag_at(*status, "ready") ? 1 : 0);
  begin(out, Metric::uptime_seconds);
  out.sample(unsigned_at(*status, "uptime_s"));
  begin(out, Metric::log_lines_dropped);
  if (const json::object* totals = control::object_in(*status, "totals"))
    out.sample(unsigned_at(*totals, "log_lines_dropped"));
  write_fleet(out, *status);
  write_each_worker(out, *status);
  write_restarts(out, *status);
  write_generations(out, *status);
  write_listeners(out, *status);
  write_programs(out, *status);
  write_schedules(out, *status);
}

/// The admin process begins its own count anew when it starts again.
void write_spans(Exposition& out, const SpanCounts* spans, const scoreboard::Totals& totals) {
  if (spans == nullptr) return;
  begin(out, Metric::spans_exported);
  out.sample(spans->exported);
  begin(out, Metric::spans_dropped);
  out.sample(totals.of(scoreboard::Counter::spans_dropped), {{"reason", "pipe"}});
  out.sample(spans->dropped, {{"reason", "collector"}});
}

// --- the machine

void write_machine(Exposition& out, const MachineFigures& machine) {
  if (machine.drops) {
    begin(out, Metric::kernel_listen_overflows);
    out.sample(machine.drops->overflows);
    begin(out, Metric::kernel_listen_drops);
    out.sample(machine.drops->drops);
  }
  if (machine.throttling) {
    begin(out, Metric::cgroup_cpu_periods);
    out.sample(machine.throttling->periods);
    begin(out, Metric::cgroup_cpu_throttled_periods);
    out.sample(machine.throttling->throttled);
    begin(out, Metric::cgroup_cpu_throttled_seconds);
    out.sample(seconds(machine.throttling->throttled_us, kMicrosecondsPerSecond));
  }
  if (!machine.resources.empty()) {
    begin(out, Metric::pressure_seconds);
    for (const auto& resource : machine.resources) {
      out.sample(seconds(resource.pressure.some_us, kMicrosecondsPerSecond),
                 {{"resource", resource.name}, {"kind", "some"}});
      out.sample(seconds(resource.pressure.full_us, kMicrosecondsPerSecond),
                 {{"resource", resource.name}, {"kind", "full"}});
    }
  }
  if (machine.processes.empty()) return;
  begin(out, Metric::open_files);
  for (const auto& process : machine.processes) out.sample(process.files.open, {{"process", process.name}});
  begin(out, Metric::open_files_limit);
  for (const auto& process : machine.processes) out.sample(process.files.limit, {{"process", process.name}});
}

}  // namespace

std::string metrics(const MetricSources& sources, Format format) {
  Exposition out(format);
  begin(out, Metric::build);
  out.sample(std::uint64_t{1}, {{"version", std::string(sources.version)}, {"name", std::string(sources.name)}});
  write_requests(out, sources);
  begin(out, Metric::utilization_ratio);
  for (const Utilization::Window& window : Utilization::kWindows)
    out.sample(sources.utilization.average(window, sources.now), {{"window", std::string(window.name)}});
  write_master(out, sources.status);
  write_spans(out, sources.spans, sources.totals);
  write_machine(out, sources.machine);
  write_app_metrics(out, sources.app);
  return out.finish();
}

}  // namespace serval::admin
