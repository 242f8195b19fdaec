#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/readiness.hpp"
#include "base/time.hpp"
#include "scoreboard/counters.hpp"
#include "scoreboard/memory.hpp"

/// What master and admin read. Workers run foreign code that may have scribbled over the memory, so a reader believes
/// nothing: any bytes give some reading, without a crash. Use no pid or thread from here for more than to look at it,
/// and escape the texts. Numbers are never negative, and times never before the clock's zero: differences do not
/// overflow. Any thread.
namespace serval::scoreboard {

/// All zero, and phase `none`: no worker. Values may be a moment apart; where there is a pid, none is older than that
/// worker.
struct SlotReading {
  pid_t pid = 0;
  int generation = 0;
  WorkerPhase phase = WorkerPhase::none;
  TimePoint begun{};
  TimePoint last_beat{};
  pid_t loop_thread = 0;
  std::uint64_t requests = 0;  ///< answered by this worker
  int connections = 0;
  int running = 0;
  int waiting = 0;
  bool app_declines = false;  ///< its ready() says no
  bool drain_file = false;    ///< health.drain_file exists
};

struct RequestInProgress {
  pid_t thread = 0;
  std::string method;
  std::string target;
  std::string request_id;
  std::string peer;
  TimePoint started{};
  TimePoint deadline = TimePoint::max();  ///< max(): none
};

struct HistogramTotals {
  std::array<std::uint64_t, kBuckets> counts{};  ///< in each bucket by itself, not cumulative
  std::uint64_t sum_ns = 0;
};

/// Over all slots since the scoreboard was created.
struct Totals {
  std::array<std::uint64_t, kStatuses> answers{};  ///< [0] is status 100
  std::array<std::uint64_t, kCounters.size()> counters{};
  std::array<HistogramTotals, kHistograms.size()> histograms{};

  std::uint64_t answers_with(int status) const;  ///< 0 for what is no status code
  std::uint64_t of(Counter counter) const { return counters[index_of(counter)]; }
  const HistogramTotals& of(Histogram histogram) const { return histograms[index_of(histogram)]; }
};

SlotReading read_slot(const Memory& memory, int slot);

/// Threads that could take one more request each, of those workers that want requests, but for the one in `but`; each
/// has `threads`. Counts no further than `enough`.
int free_threads(const Memory& memory, int but, int threads, int enough);

/// The threads that run a request of a slot.
std::vector<pid_t> threads_with_requests(const Memory& memory, int slot);

/// Requests of a slot that began before that time and still run.
int running_since_before(const Memory& memory, int slot, TimePoint time);

/// Those workers of a range that serve and whose app wants requests.
struct Siblings {
  int with_headroom = 0;  ///< more than half of its threads are free, nobody waits for one, and its loop is neither
                          ///< overloaded nor held up by a handler
  int overloaded = 0;     ///< its loop hardly keeps up
  int first = -1;         ///< the slot of the first with headroom
};
struct Slots {
  int end;       ///< those before it
  int but = -1;  ///< and not this one
  int enough;    ///< counts no further than this many with headroom
};
/// `threads`: that each worker has.
Siblings siblings(const Memory& memory, Slots slots, int threads, TimePoint now);

/// As set_server() left it.
ServerState read_server(const Memory& memory);
Comparison read_comparison(const Memory& memory);
/// What the server's readiness depends on, but for `drain_file` and `needed`.
Readiness readiness(const Memory& memory, TimePoint now);

/// Whether a worker that serves, in another slot, has published that health.drain_file is there, or that it is not.
bool others_see(const Memory& memory, int but, bool drain_file);

/// Of the worker in a slot.
int generation_of(const Memory& memory, int slot);
/// Connections that the workers of a slot have accepted.
std::uint64_t accepted(const Memory& memory, int slot);

/// In the order of their rows. One that changes all the while it is read, or whose worker was killed while it began it,
/// is left out.
std::vector<RequestInProgress> read_requests(const Memory& memory, int slot);

Totals read_totals(const Memory& memory);

/// One of the requests that were counted in a bucket of Histogram::request_duration.
struct Exemplar {
  TimePoint at{};  ///< its end; zero: there is none
  Clock::duration duration{};
  std::string request_id{};
  std::string trace_id{};  ///< 32 hexadecimal digits; empty: it was not traced
};
/// By bucket, the newest of all slots.
std::array<Exemplar, kBuckets> read_exemplars(const Memory& memory);

}  // namespace serval::scoreboard
