#include "scoreboard/reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace serval::scoreboard {
namespace {

/// A handler that runs for longer holds its loop up, as far as a connection that wants to be accepted is concerned.
constexpr auto kBriefly = std::chrono::milliseconds(1);

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;

/// A row is written within these few looks, unless the writer's thread lost its CPU or its life meanwhile.
constexpr int kTries = 100;

int not_negative(std::int32_t value) { return std::max(value, 0); }

TimePoint time_of(std::int64_t nanoseconds) {
  return TimePoint(
      std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(std::max<std::int64_t>(nanoseconds, 0))));
}

/// A number that is none of a phase was scribbled there.
WorkerPhase phase_of(std::uint32_t number) {
  for (const WorkerPhase phase : {WorkerPhase::booting, WorkerPhase::serving, WorkerPhase::draining}) {
    if (number == static_cast<std::uint32_t>(phase)) return phase;
  }
  return WorkerPhase::none;
}

/// `size` is what the row claims.
template <class Text>
std::string read_text(const Text& cells, std::uint64_t size) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::string text(std::min<std::size_t>(size & 0xffff, cells.size() * kWord), '\0');
  for (std::size_t done = 0; done < text.size(); done += kWord) {
    const std::uint64_t word = cells[done / kWord].load(kAcquire);
    std::memcpy(text.data() + done, &word, std::min(kWord, text.size() - done));
  }
  return text;
}

enum class Found { none, torn, whole };

Found read_row(const layout::RequestRow& row, RequestInProgress& request) {
  const std::uint64_t version = row.version.load(kAcquire);
  if (version % 2 != 0) return Found::torn;
  const std::int64_t started = row.started.load(kAcquire);
  if (started <= 0) return Found::none;
  request.started = time_of(started);
  request.deadline = time_of(row.deadline.load(kAcquire));
  request.thread = not_negative(row.thread.load(kAcquire));
  const std::uint64_t sizes = row.sizes.load(kAcquire);
  request.method = read_text(row.method, sizes);
  request.peer = read_text(row.peer, sizes >> 16);
  request.request_id = read_text(row.request_id, sizes >> 32);
  request.target = read_text(row.target, sizes >> 48);
  return row.version.load(kRelaxed) == version ? Found::whole : Found::torn;
}

/// False: there is none, or it is being written; another one comes soon.
bool read_exemplar(const layout::ExemplarCells& cells, Exemplar& exemplar) {
  const std::uint64_t version = cells.version.load(kAcquire);
  if (version % 2 != 0) return false;
  exemplar.at = time_of(cells.at.load(kAcquire));
  exemplar.duration = time_of(cells.duration.load(kAcquire)).time_since_epoch();
  const std::uint64_t sizes = cells.sizes.load(kAcquire);
  exemplar.request_id = read_text(cells.request_id, sizes);
  exemplar.trace_id = read_text(cells.trace_id, sizes >> 16);
  return cells.version.load(kRelaxed) == version && exemplar.at > TimePoint{};
}

void add(Totals& totals, const layout::SlotCells& cells) {
  for (std::size_t i = 0; i < cells.answers.size(); ++i) totals.answers[i] += cells.answers[i].load(kRelaxed);
  for (std::size_t i = 0; i < cells.counters.size(); ++i) totals.counters[i] += cells.counters[i].load(kRelaxed);
  for (std::size_t i = 0; i < cells.histograms.size(); ++i) {
    const layout::HistogramCells& from = cells.histograms[i];
    HistogramTotals& to = totals.histograms[i];
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) to.counts[bucket] += from.counts[bucket].load(kRelaxed);
    to.sum_ns += from.sum.load(kRelaxed);
  }
}

/// Exact at any moment, at no cost for the writer.
int running_in(const Memory& memory, int slot) { return running_since_before(memory, slot, TimePoint::max()); }

int gauge(const layout::SlotCells& cells, Gauge which) {
  return not_negative(cells.gauges[index_of(which)].load(kRelaxed));
}

bool serves(const layout::SlotCells& cells) { return phase_of(cells.phase.load(kRelaxed)) == WorkerPhase::serving; }

bool declines(const layout::SlotCells& cells) { return (gauge(cells, Gauge::unready) & kAppDeclines) != 0; }

bool sees_drain_file(const layout::SlotCells& cells) { return (gauge(cells, Gauge::unready) & kDrainFile) != 0; }

/// Threads of a slot's worker that could take one more request each; none if it does not want any, or if requests wait
/// there already.
int free_threads_of(const Memory& memory, int slot, int threads) {
  const layout::SlotCells& cells = memory.cells(slot);
  if (!serves(cells) || declines(cells) || gauge(cells, Gauge::waiting) > 0) return 0;
  return std::max(0, threads - running_in(memory, slot));
}

/// By a handler that runs on the very thread that has the loop.
bool loop_is_held_up(const Memory& memory, int slot, TimePoint now) {
  const std::int32_t loop_thread = memory.cells(slot).loop_thread.load(kRelaxed);
  for (int index = 0; index < memory.size().rows; ++index) {
    const layout::RequestRow& row = memory.row(slot, index);
    const std::int64_t started = row.started.load(kRelaxed);
    if (started != 0 && row.thread.load(kRelaxed) == loop_thread && now - time_of(started) > kBriefly) return true;
  }
  return false;
}

}  // namespace

std::uint64_t Totals::answers_with(int status) const {
  return is_status(status) ? answers[static_cast<std::size_t>(status - kFirstStatus)] : 0;
}

SlotReading read_slot(const Memory& memory, int slot) {
  SlotReading reading;
  if (!memory.used(slot)) return reading;
  const layout::SlotCells& cells = memory.cells(slot);
  reading.pid = not_negative(cells.pid.load(kAcquire));
  reading.generation = not_negative(cells.generation.load(kRelaxed));
  reading.phase = phase_of(cells.phase.load(kRelaxed));
  reading.begun = time_of(cells.begun.load(kRelaxed));
  reading.last_beat = time_of(cells.beat.load(kRelaxed));
  reading.loop_thread = not_negative(cells.loop_thread.load(kRelaxed));
  reading.requests = cells.requests.load(kRelaxed);
  reading.connections = gauge(cells, Gauge::connections);
  reading.running = running_in(memory, slot);
  reading.waiting = gauge(cells, Gauge::waiting);
  reading.app_declines = declines(cells);
  reading.drain_file = sees_drain_file(cells);
  return reading;
}

int free_threads(const Memory& memory, int but, int threads, int enough) {
  int found = 0;
  for (int slot = memory.next_used(0); slot >= 0 && found < enough; slot = memory.next_used(slot + 1)) {
    if (slot != but) found += free_threads_of(memory, slot, threads);
  }
  return std::min(found, enough);
}

bool others_see(const Memory& memory, int but, bool drain_file) {
  for (int slot = memory.next_used(0); slot >= 0; slot = memory.next_used(slot + 1)) {
    const layout::SlotCells& cells = memory.cells(slot);
    if (slot != but && serves(cells) && sees_drain_file(cells) == drain_file) return true;
  }
  return false;
}

std::vector<pid_t> threads_with_requests(const Memory& memory, int slot) {
  std::vector<pid_t> threads;
  for (int index = 0; index < memory.size().rows; ++index) {
    const layout::RequestRow& row = memory.row(slot, index);
    if (row.started.load(kRelaxed) != 0) threads.push_back(row.thread.load(kRelaxed));
  }
  return threads;
}

int running_since_before(const Memory& memory, int slot, TimePoint time) {
  int running = 0;
  for (int row = 0; row < memory.size().rows; ++row) {
    const std::int64_t started = memory.row(slot, row).started.load(kRelaxed);
    running += started != 0 && time_of(started) < time ? 1 : 0;
  }
  return running;
}

Siblings siblings(const Memory& memory, Slots slots, int threads, TimePoint now) {
  Siblings found;
  for (int slot = memory.next_used(0); slot >= 0 && slot < slots.end && found.with_headroom < slots.enough;
       slot = memory.next_used(slot + 1)) {
    const layout::SlotCells& cells = memory.cells(slot);
    if (slot == slots.but || !serves(cells) || declines(cells)) continue;
    if (gauge(cells, Gauge::strained) != 0) {
      ++found.overloaded;
    } else if (2 * free_threads_of(memory, slot, threads) > threads && !loop_is_held_up(memory, slot, now)) {
      if (found.with_headroom++ == 0) found.first = slot;
    }
  }
  return found;
}

ServerState read_server(const Memory& memory) {
  const std::uint32_t bits = memory.server().state.load(kRelaxed);
  return {.booting = (bits & 1U) != 0,
          .stopping = (bits & 2U) != 0,
          .draining = (bits & 4U) != 0,
          .paused = (bits & 8U) != 0,
          .comparison = read_comparison(memory)};
}

Comparison read_comparison(const Memory& memory) {
  const std::uint64_t cell = memory.server().comparison.load(kRelaxed);
  return {.generation = static_cast<int>(cell >> 32), .permille = static_cast<int>(cell & 0xffffffff)};
}

Readiness readiness(const Memory& memory, TimePoint now) {
  Readiness server{read_server(memory)};
  for (int slot = memory.next_used(0); slot >= 0; slot = memory.next_used(slot + 1)) {
    const layout::SlotCells& cells = memory.cells(slot);
    if (!serves(cells)) continue;
    ++server.serving;
    server.count(declines(cells), is_silent(time_of(cells.beat.load(kRelaxed)), now));
  }
  return server;
}

int generation_of(const Memory& memory, int slot) { return memory.cells(slot).generation.load(kRelaxed); }

std::uint64_t accepted(const Memory& memory, int slot) {
  return memory.cells(slot).counters[index_of(Counter::connections)].load(kRelaxed);
}

std::vector<RequestInProgress> read_requests(const Memory& memory, int slot) {
  std::vector<RequestInProgress> requests;
  if (!memory.used(slot)) return requests;
  for (int row = 0; row < memory.size().rows; ++row) {
    RequestInProgress request;
    Found found = Found::torn;
    for (int tries = 0; found == Found::torn && tries < kTries; ++tries)
      found = read_row(memory.row(slot, row), request);
    if (found == Found::whole) requests.push_back(std::move(request));
  }
  return requests;
}

Totals read_totals(const Memory& memory) {
  Totals totals;
  for (int slot = memory.next_used(0); slot >= 0; slot = memory.next_used(slot + 1)) add(totals, memory.cells(slot));
  return totals;
}

std::array<Exemplar, kBuckets> read_exemplars(const Memory& memory) {
  std::array<Exemplar, kBuckets> newest;
  for (int slot = memory.next_used(0); slot >= 0; slot = memory.next_used(slot + 1)) {
    const layout::SlotCells& cells = memory.cells(slot);
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      if (time_of(cells.exemplars[bucket].at.load(kRelaxed)) <= newest[bucket].at) continue;
      if (Exemplar exemplar; read_exemplar(cells.exemplars[bucket], exemplar)) newest[bucket] = std::move(exemplar);
    }
  }
  return newest;
}

}  // namespace serval::scoreboard
