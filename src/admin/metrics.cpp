#include "admin/metrics.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "admin/app_metrics.hpp"
#include "admin/metric_table.hpp"
#include "admin/program_metrics.hpp"
#include "base/cause_table.hpp"
#include "control/protocol.hpp"
#include "control/shown.hpp"

namespace serval::admin {
namespace {

namespace json = boost::json;
using control::count_at;
using control::number_at;
using control::objects_in;

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kMicrosecondsPerSecond = 1e6;
constexpr double kMillisecondsPerSecond = 1e3;

double seconds(std::uint64_t count, double per_second) { return static_cast<double>(count) / per_second; }

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
  out.family(Metric::requests);
  for (int status = scoreboard::kFirstStatus; scoreboard::is_status(status); ++status) {
    const bool usual = std::find(kUsualStatuses.begin(), kUsualStatuses.end(), status) != kUsualStatuses.end();
    if (const std::uint64_t count = totals.answers_with(status); count > 0 || usual)
      out.sample(count, {{"code", std::to_string(status)}});
  }
  for (const auto& [counter, metric] : kCounterMetrics) {
    out.family(metric);
    out.sample(totals.of(counter));
  }
  for (const auto& [histogram, metric] : kHistogramMetrics) {
    const scoreboard::HistogramTotals& values = totals.of(histogram);
    out.family(metric);
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
    const std::uint64_t running = count_at(*worker, "running");
    ++fleet.states[state];
    fleet.connections += count_at(*worker, "connections");
    fleet.running += running;
    fleet.waiting += count_at(*worker, "waiting");
    if (const std::uint64_t threads = count_at(*worker, "threads"); state == "serving" && threads > running)
      fleet.idle_threads += threads - running;
    if (control::flag_at(*worker, "ready")) ++fleet.ready;
    for (const json::object* request : objects_in(*worker, "in_progress"))
      fleet.oldest_ms = std::max(fleet.oldest_ms, number_at(*request, "age_ms").value_or(0));
  }
  return fleet;
}

void gauge(Exposition& out, Metric metric, std::uint64_t value) {
  out.family(metric);
  out.sample(value);
}

void write_fleet(Exposition& out, const json::object& status) {
  const Fleet fleet = fleet_of(status);
  out.family(Metric::workers);
  for (const auto& [state, count] : fleet.states) out.sample(count, {{"state", state}});
  gauge(out, Metric::workers_wanted, count_at(status, "workers_wanted"));
  gauge(out, Metric::workers_ready, fleet.ready);
  out.family(Metric::connections);
  const std::uint64_t active = std::min(fleet.running + fleet.waiting, fleet.connections);
  out.sample(active, {{"state", "active"}});
  out.sample(fleet.connections - active, {{"state", "idle"}});
  out.family(Metric::threads);
  out.sample(fleet.running, {{"state", "busy"}});
  out.sample(fleet.idle_threads, {{"state", "idle"}});
  gauge(out, Metric::requests_waiting, fleet.waiting);
  out.family(Metric::oldest_request_age_seconds);
  out.sample(seconds(static_cast<std::uint64_t>(fleet.oldest_ms), kMillisecondsPerSecond));
}

/// One family after the other, as the formats want it.
void write_each_worker(Exposition& out, const json::object& status) {
  const auto workers = objects_in(status, "workers");
  const auto slot_of = [](const json::object& worker) { return control::number(worker, "slot"); };
  out.family(Metric::worker_memory_bytes);
  for (const json::object* worker : workers) {
    const json::object* memory = control::object_in(*worker, "memory");
    if (memory == nullptr || control::text_at(*worker, "state") == "draining") continue;  // the slot is its successor's
    for (const char* measure : {"pss", "rss", "uss"}) {
      if (const auto bytes = number_at(*memory, measure))
        out.sample(static_cast<std::uint64_t>(*bytes), {{"slot", slot_of(*worker)}, {"measure", measure}});
    }
  }
  out.family(Metric::worker_heartbeat_age_seconds);
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
    out.sample(count_at(*counts, key), {{label, std::string(key)}});
  }
}

/// Causes that have not come yet are there with 0: a rate of what appears with its first event misses that one.
void write_restarts(Exposition& out, const json::object& status) {
  out.family(Metric::worker_restarts);
  const json::object* ended = control::object_in(status, "ended");
  for (const auto& row : kCauseTable) {
    if (row.cause == Cause::none) continue;
    out.sample(ended == nullptr ? 0 : count_at(*ended, row.name), {{"cause", std::string(row.name)}});
  }
  out.family(Metric::reloads);
  write_counts_of(out, control::object_in(status, "reloads"), "result");
  gauge(out, Metric::generation, count_at(status, "generation"));
}

/// A gauge in seconds from the status' milliseconds; nothing where there is none.
void write_generations(Exposition& out, const json::object& status) {
  constexpr std::array kRows{std::pair{Metric::generation_requests, "requests"},
                             std::pair{Metric::generation_errors, "errors"}};
  const auto generations = objects_in(status, "generations");
  for (const auto& [metric, key] : kRows) {
    out.family(metric);
    for (const json::object* generation : generations)
      out.sample(count_at(*generation, key), {{"generation", control::number(*generation, "number")}});
  }
  out.family(Metric::generation_duration_p95_seconds);
  for (const json::object* generation : generations) {
    const auto p95 = control::decimal_at(*generation, "p95_ms");
    if (p95) out.sample(*p95 / kMillisecondsPerSecond, {{"generation", control::number(*generation, "number")}});
  }
}

void write_listeners(Exposition& out, const json::object& status) {
  constexpr std::array kRows{std::pair{Metric::accept_queue_length, "queue"},
                             std::pair{Metric::accept_queue_limit, "limit"}};
  for (const auto& [metric, key] : kRows) {
    out.family(metric);
    for (const json::object* listener : objects_in(status, "listeners")) {
      if (const auto value = number_at(*listener, key))
        out.sample(static_cast<std::uint64_t>(*value), {{"address", control::text_at(*listener, "address")}});
    }
  }
}

void write_master(Exposition& out, const Status& status) {
  gauge(out, Metric::up, status ? 1 : 0);
  if (!status) return;
  gauge(out, Metric::live, control::flag_at(*status, "live") ? 1 : 0);
  gauge(out, Metric::ready, control::flag_at(*status, "ready") ? 1 : 0);
  out.family(Metric::uptime_seconds);
  out.sample(count_at(*status, "uptime_s"));
  out.family(Metric::log_lines_dropped);
  if (const json::object* totals = control::object_in(*status, "totals"))
    out.sample(count_at(*totals, "log_lines_dropped"));
  write_fleet(out, *status);
  write_each_worker(out, *status);
  write_restarts(out, *status);
  write_generations(out, *status);
  write_listeners(out, *status);
  write_program_metrics(out, *status);
}

/// The admin process begins its own count anew when it starts again.
void write_spans(Exposition& out, const SpanCounts* spans, const scoreboard::Totals& totals) {
  if (spans == nullptr) return;
  out.family(Metric::spans_exported);
  out.sample(spans->exported);
  out.family(Metric::spans_dropped);
  out.sample(totals.of(scoreboard::Counter::spans_dropped), {{"reason", "pipe"}});
  out.sample(spans->dropped, {{"reason", "collector"}});
}

// --- the machine

void write_machine(Exposition& out, const MachineFigures& machine) {
  if (machine.drops) {
    out.family(Metric::kernel_listen_overflows);
    out.sample(machine.drops->overflows);
    out.family(Metric::kernel_listen_drops);
    out.sample(machine.drops->drops);
  }
  if (machine.throttling) {
    out.family(Metric::cgroup_cpu_periods);
    out.sample(machine.throttling->periods);
    out.family(Metric::cgroup_cpu_throttled_periods);
    out.sample(machine.throttling->throttled);
    out.family(Metric::cgroup_cpu_throttled_seconds);
    out.sample(seconds(machine.throttling->throttled_us, kMicrosecondsPerSecond));
  }
  if (!machine.resources.empty()) {
    out.family(Metric::pressure_seconds);
    for (const auto& resource : machine.resources) {
      out.sample(seconds(resource.pressure.some_us, kMicrosecondsPerSecond),
                 {{"resource", resource.name}, {"kind", "some"}});
      out.sample(seconds(resource.pressure.full_us, kMicrosecondsPerSecond),
                 {{"resource", resource.name}, {"kind", "full"}});
    }
  }
  if (machine.processes.empty()) return;
  out.family(Metric::open_files);
  for (const auto& process : machine.processes) out.sample(process.files.open, {{"process", process.name}});
  out.family(Metric::open_files_limit);
  for (const auto& process : machine.processes) out.sample(process.files.limit, {{"process", process.name}});
}

}  // namespace

std::string metrics(const MetricSources& sources, Format format) {
  Exposition out(format);
  out.family(Metric::build);
  out.sample(std::uint64_t{1}, {{"version", std::string(sources.version)}, {"name", std::string(sources.name)}});
  write_requests(out, sources);
  out.family(Metric::utilization_ratio);
  for (const Utilization::Window& window : Utilization::kWindows)
    out.sample(sources.utilization.average(window, sources.now), {{"window", std::string(window.name)}});
  write_master(out, sources.status);
  write_spans(out, sources.spans, sources.totals);
  write_machine(out, sources.machine);
  write_app_metrics(out, sources.app);
  return out.finish();
}

}  // namespace serval::admin
