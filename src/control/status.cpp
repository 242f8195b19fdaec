#include "control/status.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/cause_table.hpp"
#include "control/program_status.hpp"
#include "control/protocol.hpp"
#include "control/values.hpp"
#include "scoreboard/generations.hpp"
#include "scoreboard/reader.hpp"

namespace serval::control {
namespace {

json::string text_of(std::string_view text) { return json::string(text.data(), text.size()); }

std::int64_t seconds(Clock::duration span) {
  return std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(span).count(), 0);
}

std::int64_t signed_milliseconds(Clock::duration span) { return std::chrono::duration_cast<Duration>(span).count(); }

json::value pid_or_null(pid_t pid) { return pid == 0 ? json::value(nullptr) : json::value(pid); }

json::value number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::object request_in_progress(const scoreboard::RequestInProgress& request, TimePoint now) {
  const bool limited = request.deadline != TimePoint::max();
  return {
      {"method", utf8(request.method)},
      {"target", utf8(request.target)},
      {"request_id", utf8(request.request_id)},
      {"peer", utf8(request.peer)},
      {"thread", request.thread},
      {"age_ms", milliseconds(now - request.started)},
      {"deadline_in_ms", limited ? json::value(signed_milliseconds(request.deadline - now)) : json::value(nullptr)}};
}

std::string_view state_of(const supervisor::Snapshot& snapshot) {
  return snapshot.stopping ? "stopping" : snapshot.booting ? "booting" : "serving";
}

/// The supervisor's verdict, not another look at the scoreboard: the app can write there what it likes, and a stray
/// byte of it must not make a probe kill a server that serves.
bool beats(const supervisor::Snapshot::Worker& worker) {
  return (worker.state == supervisor::SlotState::serving || worker.state == supervisor::SlotState::draining) &&
         !worker.hangs;
}

/// Why a liveness probe should fail; empty if it should not. What starts or stops has deadlines that the master keeps,
/// and would lose by it: a preload begins anew, requests in flight are cut.
std::string_view not_live_reason(const supervisor::Snapshot& snapshot) {
  if (!snapshot.has_app || snapshot.booting || snapshot.stopping || snapshot.mold == supervisor::MoldState::loading)
    return "";
  bool any = false;
  for (const auto& worker : snapshot.workers) {
    if (worker.state == supervisor::SlotState::starting || beats(worker)) return "";
    any = any || worker.state == supervisor::SlotState::serving;
  }
  return any ? "the workers hang" : "no worker serves";
}

/// The supervisor's part of it, and what the workers say of the app and the drain file.
Readiness readiness_of(const StatusSources& sources, TimePoint now) {
  Readiness server = sources.snapshot.readiness;
  server.needed = sources.ready_workers;
  for (const auto& worker : sources.snapshot.workers) {
    if (worker.state != supervisor::SlotState::serving) continue;
    const scoreboard::SlotReading reading = scoreboard::read_slot(sources.scoreboard, worker.seat);
    server.count(reading.app_declines, is_silent(reading.last_beat, now));
    server.drain_file = server.drain_file || reading.drain_file;
  }
  return server;
}

json::object worker(const supervisor::Snapshot::Worker& worker, const StatusSources& sources, TimePoint now) {
  // The slot's cells are cleared when a worker has ended, so what is there is this one's, whatever pid they say. One
  // that boots has nothing there yet.
  const bool its_own = worker.pid != 0 && worker.state != supervisor::SlotState::starting;
  const scoreboard::SlotReading reading =
      its_own ? scoreboard::read_slot(sources.scoreboard, worker.seat) : scoreboard::SlotReading{};
  const bool alive = worker.state != supervisor::SlotState::cooling;
  const bool beats = its_own && reading.last_beat > TimePoint{};
  const auto memory = worker.pid != 0 ? sources.memory(worker.pid) : std::nullopt;
  json::array in_progress;
  if (its_own) {
    for (const auto& request : scoreboard::read_requests(sources.scoreboard, worker.seat)) {
      in_progress.push_back(request_in_progress(request, now));
    }
  }
  const json::value null(nullptr);
  return {{"slot", worker.slot},
          {"pid", pid_or_null(worker.pid)},
          {"generation", worker.generation},
          {"state", text_of(supervisor::name_of(worker.state))},
          {"cause", worker.cause == Cause::none ? null : json::value(text_of(serval::name_of(worker.cause)))},
          {"age_s", alive ? json::value(seconds(now - worker.started)) : null},
          {"requests", reading.requests},
          {"connections", reading.connections},
          {"running", reading.running},
          {"waiting", reading.waiting},
          {"threads", sources.threads},
          {"memory_bytes", memory ? json::value(memory->proportional.value_or(memory->resident)) : null},
          {"memory_measure", memory ? json::value(memory->proportional ? "pss" : "rss") : null},
          {"memory", memory ? json::value(json::object{{"rss", memory->resident},
                                                       {"pss", number_or_null(memory->proportional)},
                                                       {"uss", number_or_null(memory->unique)}})
                            : null},
          {"crashes_in_a_row", worker.crashes_in_a_row},
          {"restart_in_ms", alive ? null : json::value(milliseconds(worker.deadline - now))},
          {"beat_age_ms",
           beats ? json::value(milliseconds(std::max(now - reading.last_beat, Clock::duration::zero()))) : null},
          {"ready", worker.state == supervisor::SlotState::serving && !reading.app_declines &&
                        !is_silent(reading.last_beat, now)},
          {"silent", is_silent(reading.last_beat, now)},
          {"stopped", worker.pid != 0 && sources.stopped(worker.pid)},
          {"in_progress", std::move(in_progress)}};
}

/// In tenths of a millisecond: no bucket is finer.
json::value quantile_ms(const scoreboard::GenerationTotals& totals, double part) {
  if (totals.requests() == totals.lost) return nullptr;
  return std::round(scoreboard::quantile(totals.durations, part) * 10'000) / 10;
}

json::array generations(const StatusSources& sources, TimePoint now) {
  json::array result;
  if (!sources.snapshot.has_app) return result;
  for (const supervisor::GenerationLife& life : sources.snapshot.generations) {
    const scoreboard::GenerationTotals totals = scoreboard::read_generation(sources.scoreboard, life.number);
    const CodeReading code = sources.code(life.number);
    result.push_back(json::object{{"number", life.number},
                                  {"state", text_of(supervisor::name_of(life.state))},
                                  {"library", utf8(code.library)},
                                  {"build", text_or_null(code.build)},
                                  {"since_s", seconds(now - life.since)},
                                  {"requests", totals.requests()},
                                  {"errors", totals.errors()},
                                  {"p50_ms", quantile_ms(totals, 0.5)},
                                  {"p95_ms", quantile_ms(totals, 0.95)}});
  }
  return result;
}

json::array listeners(const StatusSources& sources) {
  json::array result;
  for (const ListenerReading& listener : sources.listeners) {
    result.push_back(json::object{{"address", utf8(listener.address)},
                                  {"queue", number_or_null(listener.queue)},
                                  {"limit", number_or_null(listener.limit)}});
  }
  return result;
}

json::object histogram(const scoreboard::HistogramTotals& totals) {
  json::array bounds;
  json::array counts;
  for (const double bound : scoreboard::kBounds) bounds.emplace_back(bound);
  for (const std::uint64_t count : totals.counts) counts.emplace_back(count);
  return {{"bounds_s", std::move(bounds)}, {"counts", std::move(counts)}, {"sum_ns", totals.sum_ns}};
}

json::object totals_of(const scoreboard::Totals& totals) {
  std::uint64_t requests = 0;
  json::object answers;
  for (int status = scoreboard::kFirstStatus; scoreboard::is_status(status); ++status) {
    const std::uint64_t count = totals.answers_with(status);
    if (count > 0) answers.emplace(std::to_string(status), count);
    requests += count;
  }
  json::object result{{"requests", requests}, {"answers", std::move(answers)}};
  for (const auto& row : scoreboard::kCounters) {
    result.emplace(json::string_view(row.name.data(), row.name.size()), totals.of(row.kind));
  }
  result.emplace("durations", histogram(totals.of(scoreboard::Histogram::request_duration)));
  result.emplace("queue_waits", histogram(totals.of(scoreboard::Histogram::queue_wait)));
  return result;
}

}  // namespace

json::object make_status(const StatusSources& sources, TimePoint now) {
  const supervisor::Snapshot& snapshot = sources.snapshot;
  scoreboard::Totals totals = scoreboard::read_totals(sources.scoreboard);
  totals.counters[scoreboard::index_of(scoreboard::Counter::log_lines_dropped)] += sources.log_lines_dropped;
  const std::string_view not_live = not_live_reason(snapshot);
  const std::string not_ready = why_not_ready(readiness_of(sources, now));
  std::vector<supervisor::Snapshot::Worker> rows = snapshot.workers;
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a.slot, a.generation) < std::pair(b.slot, b.generation);
  });
  json::array workers;
  for (const auto& row : rows) {
    if (row.state != supervisor::SlotState::empty) workers.push_back(worker(row, sources, now));
  }
  json::object ended;
  for (const auto& [cause, count] : snapshot.ended) {
    const std::string_view name = serval::name_of(cause);
    ended.emplace(json::string_view(name.data(), name.size()), count);
  }
  return {{"name", utf8(sources.name)},
          {"version", text_of(sources.version)},
          {"pid", sources.pid},
          {"generation", snapshot.generation},
          {"state", text_of(state_of(snapshot))},
          {"live", not_live.empty()},
          {"lifeless", text_or_null(not_live)},
          {"ready", not_ready.empty()},
          {"unready", text_or_null(not_ready)},
          {"uptime_s", seconds(now - sources.begun)},
          {"mold", json::object{{"state", text_of(supervisor::name_of(snapshot.mold))},
                                {"pid", pid_or_null(snapshot.mold_pid)}}},
          {"workers_wanted", snapshot.wanted},
          {"threads", sources.threads},
          {"workers", std::move(workers)},
          {"ended", std::move(ended)},
          {"reloads", json::object{{"ok", snapshot.reloads.good}, {"failed", snapshot.reloads.failed}}},
          {"generations", generations(sources, now)},
          {"programs", programs_status(snapshot, sources.programs, now, sources.program_tables)},
          {"listeners", listeners(sources)},
          {"admin", text_or_null(sources.admin)},
          {"config_file", text_or_null(sources.config_file)},
          {"log_file", sources.log_file.empty() ? json::value(nullptr) : json::value(utf8(sources.log_file))},
          {"totals", totals_of(totals)}};
}

int requests_in_progress(const supervisor::Snapshot& snapshot, const scoreboard::Memory& scoreboard) {
  std::int64_t requests = 0;
  for (const auto& worker : snapshot.workers) {
    const scoreboard::SlotReading reading = scoreboard::read_slot(scoreboard, worker.seat);
    if (worker.pid != 0 && reading.pid == worker.pid) requests += std::int64_t{reading.running} + reading.waiting;
  }
  return static_cast<int>(std::min<std::int64_t>(requests, INT32_MAX));
}

}  // namespace serval::control
