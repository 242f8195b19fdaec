#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/readiness.hpp"
#include "base/time.hpp"
#include "scoreboard/memory.hpp"

/// What a worker writes. Plain loads and stores, no lock and no system call; an own thread's cache line, so a few
/// nanoseconds each.
namespace serval::scoreboard {

/// A request that is over, for the counters.
struct Answered {
  int status = 0;                               ///< counted by code if it is one of 100 to 599
  Clock::duration duration{};                   ///< from the request's first byte to the answer's last
  TimePoint end{};                              ///< when that was
  std::optional<Clock::duration> queue_wait{};  ///< none: it did not get to the queue
  std::uint64_t bytes_in = 0;                   ///< of the bodies, as is bytes_out
  std::uint64_t bytes_out = 0;
  bool timed_out = false;    ///< a 504 of ours
  bool overload = false;     ///< refused, since the queue was full or it waited for too long
  bool client_gone = false;  ///< before it had its answer
};

/// A request that begins. Texts that do not fit are cut: 16 bytes of the method, 280 of the target, 128 of the id, 48
/// of the peer.
struct RequestText {
  std::string_view method{};
  std::string_view target{};
  std::string_view request_id{};
  std::string_view peer{};
};

/// Exemplars are at least that far apart: they are for people, and the first one of a second is as good as any.
inline constexpr auto kBetweenExemplars = std::chrono::seconds(1);

/// The place of one request in progress; a handle, to be copied freely. One thread at a time writes to a row. The
/// memory must stay mapped.
class Row {
 public:
  explicit Row(layout::RequestRow& cells) : cells_(&cells) {}

  /// The calling thread runs this request from now on. `deadline` max(): none.
  void begin(const RequestText& text, TimePoint started, TimePoint deadline);
  void extend(TimePoint deadline);
  void end();

 private:
  layout::RequestRow* cells_;
};

/// What the workers are to say of the server. For the master.
void set_server(Memory& memory, const ServerState& state);

/// A worker's own slot. Used by the thread that has the worker's I/O loop, one at a time; rows go to other threads.
/// Outlived by `memory`, which must not be moved meanwhile.
class WorkerBoard {
 public:
  WorkerBoard(Memory& memory, int slot);
  int slot() const { return slot_; }

  /// A worker's life begins: what an earlier one left behind is cleared, counters go on from where they are. Call in
  /// the worker's process, before any row is begun. The phase is `booting` then.
  void begin(int generation, pid_t pid, TimePoint now);
  void set_phase(WorkerPhase phase);
  /// The I/O loop is alive, and run by this thread.
  void beat(TimePoint now, pid_t loop_thread);
  /// The loop has done its work and turns no more: what the app does from here on, in its own time, is no silence.
  void end_beats();

  /// True: it is to be the exemplar of its bucket.
  bool count(const Answered& answered);
  /// Of the request that has just been counted. Texts that do not fit are cut: 72 bytes of the id, 32 of the trace's.
  void set_exemplar(const Answered& answered, std::string_view request_id, std::string_view trace_id);
  void count_dropped_span();
  void count_dropped_lines(std::uint64_t lines);
  void count_connection();  ///< accepted
  /// Answered by this worker since begin().
  std::uint64_t requests() const { return cells_.requests.load(std::memory_order_relaxed); }

  void set_connections(int open) { set(Gauge::connections, open); }
  void set_waiting(int queued) { set(Gauge::waiting, queued); }                 ///< by any thread, one at a time
  void set_strained(bool strained) { set(Gauge::strained, strained ? 1 : 0); }  ///< by any thread

  void set_unready(bool app_declines, bool drain_file) {
    set(Gauge::unready, (app_declines ? kAppDeclines : 0) | (drain_file ? kDrainFile : 0));
  }

  int rows() const { return memory_.size().rows; }
  Row row(int index) { return Row(memory_.row(slot_, index)); }

 private:
  void set(Gauge gauge, int value) { cells_.gauges[index_of(gauge)].store(value, std::memory_order_relaxed); }

  Memory& memory_;
  int slot_;
  layout::SlotCells& cells_;
};

}  // namespace serval::scoreboard
