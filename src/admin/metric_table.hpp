#pragma once

#include <array>
#include <cstddef>
#include <string_view>

/// What /metrics tells. One table: the metrics are made from it (admin/metrics.cpp), the manual prints it. Names are a
/// promise: what one means never changes.
namespace serval::admin {

enum class MetricType { counter, gauge, histogram, info };

enum class Metric {
  build,
  up,
  live,
  ready,
  uptime_seconds,
  generation,
  reloads,
  generation_requests,
  generation_errors,
  generation_duration_p95_seconds,
  requests,
  request_duration_seconds,
  queue_wait_seconds,
  requests_waiting,
  oldest_request_age_seconds,
  request_timeouts,
  requests_refused,
  clients_gone,
  request_body_bytes,
  response_body_bytes,
  connections,
  connections_accepted,
  accept_queue_length,
  accept_queue_limit,
  threads,
  utilization_ratio,
  workers,
  workers_wanted,
  workers_ready,
  worker_restarts,
  worker_memory_bytes,
  worker_heartbeat_age_seconds,
  program_up,
  program_restarts,
  program_memory_bytes,
  program_cpu_seconds,
  program_runs,
  program_last_success_timestamp_seconds,
  program_last_run_duration_seconds,
  program_next_run_timestamp_seconds,
  open_files,
  open_files_limit,
  log_lines_dropped,
  spans_exported,
  spans_dropped,
  kernel_listen_overflows,
  kernel_listen_drops,
  cgroup_cpu_periods,
  cgroup_cpu_throttled_periods,
  cgroup_cpu_throttled_seconds,
  pressure_seconds,
};

struct MetricRow {
  Metric metric;
  std::string_view name;  ///< without the suffix of its type: _total, _info, _bucket
  MetricType type;
  std::string_view unit;    ///< the end of the name; or empty
  std::string_view labels;  ///< for the manual
  std::string_view help;
};

inline constexpr std::array kMetrics = std::to_array<MetricRow>({
    {Metric::build, "serval_build", MetricType::info, "", "version, name", "what runs"},
    {Metric::up, "serval_up", MetricType::gauge, "", "", "1: the master answers"},
    {Metric::live, "serval_live", MetricType::gauge, "", "", "1: a worker beats, or the server starts or stops"},
    {Metric::ready, "serval_ready", MetricType::gauge, "", "", "1: new traffic should be sent here"},
    {Metric::uptime_seconds, "serval_uptime_seconds", MetricType::gauge, "seconds", "",
     "age of the server; an upgrade does not end it"},
    {Metric::generation, "serval_generation", MetricType::gauge, "", "",
     "generation that serves: how often the app was loaded"},
    {Metric::reloads, "serval_reloads", MetricType::counter, "", "result", "reloads, by result"},
    {Metric::generation_requests, "serval_generation_requests", MetricType::counter, "", "generation",
     "requests that a generation which lives has answered or lost"},
    {Metric::generation_errors, "serval_generation_errors", MetricType::counter, "", "generation",
     "of those, the answers of 500 and above and the requests lost"},
    {Metric::generation_duration_p95_seconds, "serval_generation_duration_p95_seconds", MetricType::gauge, "seconds",
     "generation", "95th percentile of the durations of a generation's requests"},
    {Metric::requests, "serval_requests", MetricType::counter, "", "code",
     "requests answered, by status code; 499: the client had gone"},
    {Metric::request_duration_seconds, "serval_request_duration_seconds", MetricType::histogram, "seconds", "",
     "from the first byte of a request to the last byte of its answer"},
    {Metric::queue_wait_seconds, "serval_queue_wait_seconds", MetricType::histogram, "seconds", "",
     "wait of a request for a thread of the app"},
    {Metric::requests_waiting, "serval_requests_waiting", MetricType::gauge, "", "",
     "requests that wait for a thread now"},
    {Metric::oldest_request_age_seconds, "serval_oldest_request_age_seconds", MetricType::gauge, "seconds", "",
     "age of the oldest request in progress"},
    {Metric::request_timeouts, "serval_request_timeouts", MetricType::counter, "", "",
     "requests answered with 504 because their handler passed its deadline"},
    {Metric::requests_refused, "serval_requests_refused", MetricType::counter, "", "",
     "requests answered with 503 because the queue was full or they waited in it for too long"},
    {Metric::clients_gone, "serval_clients_gone", MetricType::counter, "", "",
     "requests whose client went away before the answer was sent"},
    {Metric::request_body_bytes, "serval_request_body_bytes", MetricType::counter, "bytes", "",
     "bytes of request bodies received"},
    {Metric::response_body_bytes, "serval_response_body_bytes", MetricType::counter, "bytes", "",
     "bytes of response bodies sent"},
    {Metric::connections, "serval_connections", MetricType::gauge, "", "state",
     "open connections of clients; active: with a request in progress, else idle"},
    {Metric::connections_accepted, "serval_connections_accepted", MetricType::counter, "", "", "connections accepted"},
    {Metric::accept_queue_length, "serval_accept_queue_length", MetricType::gauge, "", "address",
     "connections that the kernel holds until a worker accepts them"},
    {Metric::accept_queue_limit, "serval_accept_queue_limit", MetricType::gauge, "", "address",
     "connections that may wait so; more are dropped"},
    {Metric::threads, "serval_threads", MetricType::gauge, "", "state", "threads of the app, busy or idle"},
    {Metric::utilization_ratio, "serval_utilization_ratio", MetricType::gauge, "ratio", "window",
     "share of the app's threads that was busy, averaged over the last while"},
    {Metric::workers, "serval_workers", MetricType::gauge, "", "state", "workers by state"},
    {Metric::workers_wanted, "serval_workers_wanted", MetricType::gauge, "", "",
     "workers as configured or scaled since"},
    {Metric::workers_ready, "serval_workers_ready", MetricType::gauge, "", "",
     "workers that serve and whose app says that it is ready"},
    {Metric::worker_restarts, "serval_worker_restarts", MetricType::counter, "", "cause",
     "workers that have ended, by cause"},
    {Metric::worker_memory_bytes, "serval_worker_memory_bytes", MetricType::gauge, "bytes", "slot, measure",
     "memory of a worker without pages of files: rss with all that is shared, pss with a share of it, uss without"},
    {Metric::worker_heartbeat_age_seconds, "serval_worker_heartbeat_age_seconds", MetricType::gauge, "seconds", "slot",
     "since the worker's I/O loop last said that it turns, every five seconds at least"},
    {Metric::program_up, "serval_program_up", MetricType::gauge, "", "program, instance",
     "1: this instance of a program is ready"},
    {Metric::program_restarts, "serval_program_restarts", MetricType::counter, "", "program, cause",
     "instances of a program that were started in the place of others, by why those ended"},
    {Metric::program_memory_bytes, "serval_program_memory_bytes", MetricType::gauge, "bytes", "program, instance",
     "memory in use by an instance and all that it has started, shared pages in full"},
    {Metric::program_cpu_seconds, "serval_program_cpu_seconds", MetricType::counter, "seconds", "program, instance",
     "CPU time used by all that had this number so far, and by the children that they have waited for"},
    {Metric::program_runs, "serval_program_runs", MetricType::counter, "", "program, result",
     "runs of a program with a schedule; skipped: another one went on, missed: not started when it was due"},
    {Metric::program_last_success_timestamp_seconds, "serval_program_last_success_timestamp_seconds", MetricType::gauge,
     "seconds", "program", "when its last run that went well ended, since 1970"},
    {Metric::program_last_run_duration_seconds, "serval_program_last_run_duration_seconds", MetricType::gauge,
     "seconds", "program", "how long its last run took"},
    {Metric::program_next_run_timestamp_seconds, "serval_program_next_run_timestamp_seconds", MetricType::gauge,
     "seconds", "program", "when its next run is due, since 1970"},
    {Metric::open_files, "serval_open_files", MetricType::gauge, "", "process", "open files of a process"},
    {Metric::open_files_limit, "serval_open_files_limit", MetricType::gauge, "", "process",
     "open files that it may have"},
    {Metric::log_lines_dropped, "serval_log_lines_dropped", MetricType::counter, "", "",
     "lines of log and access log that could not be written"},
    {Metric::spans_exported, "serval_spans_exported", MetricType::counter, "", "",
     "spans that the collector has taken"},
    {Metric::spans_dropped, "serval_spans_dropped", MetricType::counter, "", "reason",
     "spans lost; pipe: on their way to the admin process, collector: since that did not take them"},
    {Metric::kernel_listen_overflows, "serval_kernel_listen_overflows", MetricType::counter, "", "",
     "connections dropped by the kernel because an accept queue was full, of all servers in this network namespace"},
    {Metric::kernel_listen_drops, "serval_kernel_listen_drops", MetricType::counter, "", "",
     "connections dropped by the kernel before they could be accepted, for whatever reason, likewise"},
    {Metric::cgroup_cpu_periods, "serval_cgroup_cpu_periods", MetricType::counter, "", "",
     "periods in which the control group ran"},
    {Metric::cgroup_cpu_throttled_periods, "serval_cgroup_cpu_throttled_periods", MetricType::counter, "", "",
     "of those, periods in which it had used up its CPU quota"},
    {Metric::cgroup_cpu_throttled_seconds, "serval_cgroup_cpu_throttled_seconds", MetricType::counter, "seconds", "",
     "time that it waited for its next quota"},
    {Metric::pressure_seconds, "serval_pressure_seconds", MetricType::counter, "seconds", "resource, kind",
     "time in which some, or all (full), tasks of the control group or machine waited for a resource (PSI)"},
});

constexpr const MetricRow& row_of(Metric metric) { return kMetrics[static_cast<std::size_t>(metric)]; }

static_assert(
    [] {
      for (const MetricRow& row : kMetrics) {
        if (row_of(row.metric).name != row.name) return false;
      }
      return true;
    }(),
    "the rows are in the order of the enum");

}  // namespace serval::admin
