#pragma once

#include "base/readiness.hpp"
#include "base/time.hpp"
#include "scoreboard/reader.hpp"

/// Which worker serves what: every decision, as functions of what the scoreboard shows of the others. Pure.
///
/// Why any worker should not take what comes: more workers than are needed take the CPUs from each other, wake up for
/// less at a time, and each heats its own caches (tests/bench/README.md has the figures). So workers are ordered by
/// slot. The first one with headroom accepts, as do all before it; the others look again some milliseconds later, and
/// then accept whatever is still queued: no worker has to come for clients to be served. While a new generation is
/// compared with the old one (reload.watch) nobody is before anybody: each worker gets what it is quick enough to take,
/// and connections that live change between the generations, so that both answer the same clients.
namespace serval::worker::placement {

using scoreboard::Siblings;

// ---- New connections

/// What this worker does about a connection that waits in a queue all can take from.
enum class Accept {
  now,
  soon,        ///< leaves it to a sibling for kBetweenLooks
  much_later,  ///< likewise for kFarBetweenLooks
};
/// `before`: the siblings in lower slots. No more workers take connections for their loops' sake than there are `cpus`.
Accept accept(const Siblings& before, bool saturated, int cpus);

inline constexpr std::chrono::milliseconds kBetweenLooks{2};
/// Delay for workers far down the order: waking a hundred of them for each connection would cost more than serving it.
inline constexpr std::chrono::milliseconds kFarBetweenLooks{20};

/// A worker that leaves connections to its siblings takes one all the same once it has found one waiting at kLooks
/// looks in a row: an idle sibling takes one within microseconds, so each time another one would have to be just
/// arriving. All looks together go unnoticed by a client. Where no sibling has headroom the second look is enough: then
/// the first only sees to it that not all come at once.
class Looks {
 public:
  /// Another look found one waiting. `taken_by_sibling`: what the sibling that should take it has accepted so far; 0:
  /// unknown. `none_has_headroom`: of all siblings. True: it is ours now.
  bool found(std::uint64_t taken_by_sibling, bool none_has_headroom);
  /// The queue was empty, or we have taken from it in our own right.
  void start_over() { in_a_row_ = 0; }

 private:
  static constexpr int kLooks = 3;
  int in_a_row_ = 0;
  std::uint64_t taken_before_ = 0;
};

// ---- Connections of an overloaded loop

/// How many of its `connections` a worker whose loop hardly keeps up should give away now: a few at a time, since each
/// of them may be the one that matters, and what became of it is seen at the next look. `others`: all siblings.
int connections_to_give(int connections, const Siblings& others, int cpus);

// ---- Connections while two generations are compared

/// A connection is drawn for one of them with its answer, and then not again for this long: a client that asks
/// thousands of times per second is not to pay for a move with each.
inline constexpr std::chrono::milliseconds kBetweenDraws{200};

/// Whether the other generation is to go on with a connection of this worker's. `draw`: 0 to 1. In the end each has as
/// large a part of the connections as of the workers.
bool changes_sides(const Comparison& comparison, int own_generation, double draw);

/// Numbers from 0 to 1 that are spread evenly however few are taken, and look unrelated to whatever else repeats: the
/// fractions of multiples of the golden ratio (Weyl, 1916; Knuth, TAOCP 6.4).
class EvenDraws {
 public:
  /// Others with another `seed` draw other numbers at the same time.
  explicit EvenDraws(int seed) : last_(fraction(seed * kOtherRatio)) {}
  double next() { return last_ = fraction(last_ + kGoldenRatio); }

 private:
  static constexpr double kGoldenRatio = 0.6180339887498949;
  static constexpr double kOtherRatio = 0.7548776662466927;  ///< of the plastic number: unrelated to the golden one
  static double fraction(double number) { return number - static_cast<double>(static_cast<long>(number)); }

  double last_;
};

// ---- Requests that wait for a thread

/// A thread that becomes free within this time is worth waiting for: it is longer than nearly all handlers run, and a
/// client hardly notices.
inline constexpr std::chrono::milliseconds kWorthWaiting{2};
/// Requests that are moved at one look. Siblings in the same straits look at the same free threads.
inline constexpr int kMigrationBatch = 16;

/// What this worker's own threads are at.
struct OwnThreads {
  int threads = 0;
  int busy_for_long = 0;  ///< running the same request since before kWorthWaiting
};
/// All of them: waiting for one is in vain.
inline bool hopeless(const OwnThreads& own) { return own.busy_for_long >= own.threads; }
/// Whether a request that has waited for a time is to move, if a sibling has a thread free.
inline bool should_move(Clock::duration waited, const OwnThreads& own) {
  return hopeless(own) || waited >= kWorthWaiting;
}

}  // namespace serval::worker::placement
