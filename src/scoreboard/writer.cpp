#include "scoreboard/writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

namespace serval::scoreboard {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kRelease = std::memory_order_release;

/// Kept, as the system call would cost more than all the rest of Row::begin. A fork's child inherits the parent's:
/// WorkerBoard::begin asks again.
thread_local pid_t t_thread = 0;

std::int64_t nanoseconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}
std::int64_t nanoseconds(TimePoint time) { return nanoseconds(time.time_since_epoch()); }

/// For a cell that one thread at a time writes: no locked instruction.
void add(layout::Cell64& cell, std::uint64_t amount) { cell.store(cell.load(kRelaxed) + amount, kRelaxed); }

/// The bucket.
std::size_t add(layout::HistogramCells& histogram, Clock::duration duration) {
  duration = std::max(duration, Clock::duration::zero());
  const std::size_t bucket = bucket_of(duration);
  add(histogram.counts[bucket], 1);
  add(histogram.sum, static_cast<std::uint64_t>(nanoseconds(duration)));
  return bucket;
}

/// Less than a word of text, as memory holds it, then zeros.
std::uint64_t tail_word(std::string_view tail) {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    // In a register: memcpy of a size that varies is a call, twice as slow for a row.
    for (std::size_t at = tail.size(); at > 0; --at) word = word << 8 | static_cast<unsigned char>(tail[at - 1]);
  } else {
    std::memcpy(&word, tail.data(), tail.size());
  }
  return word;
}

/// Whole words only: a reader looks at them at the same time, so memcpy into them would be a data race. Returns the
/// bytes that fitted.
template <class Text>
std::uint64_t write_text(Text& cells, std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  text = text.substr(0, cells.size() * kWord);
  std::size_t done = 0;
  for (; done + kWord <= text.size(); done += kWord) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + done, kWord);
    cells[done / kWord].store(word, kRelease);
  }
  if (done < text.size()) cells[done / kWord].store(tail_word(text.substr(done)), kRelease);
  return text.size();
}

}  // namespace

void Row::begin(const RequestText& text, TimePoint started, TimePoint deadline) {
  if (t_thread == 0) t_thread = ::gettid();
  layout::RequestRow& row = *cells_;
  // Also after a writer that was killed and left it odd.
  const std::uint64_t odd = (row.version.load(kRelaxed) + 1) | 1;
  row.version.store(odd, kRelaxed);
  row.started.store(std::max<std::int64_t>(nanoseconds(started), 1), kRelease);
  row.deadline.store(nanoseconds(deadline), kRelease);
  row.thread.store(t_thread, kRelease);
  const std::uint64_t method = write_text(row.method, text.method);
  const std::uint64_t peer = write_text(row.peer, text.peer);
  const std::uint64_t request_id = write_text(row.request_id, text.request_id);
  const std::uint64_t target = write_text(row.target, text.target);
  row.sizes.store(method | peer << 16 | request_id << 32 | target << 48, kRelease);
  row.version.store(odd + 1, kRelease);
}

// One cell each, and written in the same request by the same thread: the version need not change.
void Row::extend(TimePoint deadline) { cells_->deadline.store(nanoseconds(deadline), kRelease); }

void Row::end() { cells_->started.store(0, kRelease); }

void set_server(Memory& memory, const ServerState& state) {
  const std::uint32_t bits =
      (state.booting ? 1U : 0U) | (state.stopping ? 2U : 0U) | (state.draining ? 4U : 0U) | (state.paused ? 8U : 0U);
  memory.server().state.store(bits, kRelaxed);
  const Comparison& compared = state.comparison;
  memory.server().comparison.store(
      static_cast<std::uint64_t>(compared.generation) << 32 | static_cast<std::uint32_t>(compared.permille), kRelaxed);
}

WorkerBoard::WorkerBoard(Memory& memory, int slot) : memory_(memory), slot_(slot), cells_(memory.cells(slot)) {}

void WorkerBoard::begin(int generation, pid_t pid, TimePoint now) {
  t_thread = ::gettid();
  clear_slot(memory_, slot_);
  cells_.generation.store(generation, kRelaxed);
  cells_.begun.store(nanoseconds(now), kRelaxed);
  set_phase(WorkerPhase::booting);
  cells_.pid.store(pid, kRelease);  // last: a process that reads the pid reads no value of an earlier life
}

void WorkerBoard::set_phase(WorkerPhase phase) { cells_.phase.store(static_cast<std::uint32_t>(phase), kRelaxed); }

void WorkerBoard::beat(TimePoint now, pid_t loop_thread) {
  cells_.beat.store(nanoseconds(now), kRelaxed);
  cells_.loop_thread.store(loop_thread, kRelaxed);
}

/// A beat that no look comes after: versions that know of none take it for one that has just been.
void WorkerBoard::end_beats() { cells_.beat.store(nanoseconds(TimePoint::max()), kRelaxed); }

bool WorkerBoard::count(const Answered& answered) {
  if (is_status(answered.status)) add(cells_.answers[static_cast<std::size_t>(answered.status - kFirstStatus)], 1);
  const auto counter = [this](Counter which) -> layout::Cell64& { return cells_.counters[index_of(which)]; };
  if (answered.timed_out) add(counter(Counter::timeouts), 1);
  if (answered.overload) add(counter(Counter::overloads), 1);
  if (answered.client_gone) add(counter(Counter::clients_gone), 1);
  add(counter(Counter::bytes_in), answered.bytes_in);
  add(counter(Counter::bytes_out), answered.bytes_out);
  const std::size_t bucket = add(cells_.histograms[index_of(Histogram::request_duration)], answered.duration);
  if (answered.queue_wait) add(cells_.histograms[index_of(Histogram::queue_wait)], *answered.queue_wait);
  add(cells_.requests, 1);
  return nanoseconds(answered.end - kBetweenExemplars) > cells_.exemplars[bucket].at.load(kRelaxed);
}

void WorkerBoard::set_exemplar(const Answered& answered, std::string_view request_id, std::string_view trace_id) {
  layout::ExemplarCells& cells = cells_.exemplars[bucket_of(answered.duration)];
  // Also after a writer that was killed and left it odd.
  const std::uint64_t odd = (cells.version.load(kRelaxed) + 1) | 1;
  cells.version.store(odd, kRelaxed);
  cells.at.store(nanoseconds(answered.end), kRelease);
  cells.duration.store(nanoseconds(answered.duration), kRelease);
  const std::uint64_t request_size = write_text(cells.request_id, request_id);
  cells.sizes.store(request_size | write_text(cells.trace_id, trace_id) << 16, kRelease);
  cells.version.store(odd + 1, kRelease);
}

void WorkerBoard::count_dropped_span() { add(cells_.counters[index_of(Counter::spans_dropped)], 1); }

void WorkerBoard::count_dropped_lines(std::uint64_t lines) {
  add(cells_.counters[index_of(Counter::log_lines_dropped)], lines);
}

void WorkerBoard::count_connection() { add(cells_.counters[index_of(Counter::connections)], 1); }

}  // namespace serval::scoreboard
