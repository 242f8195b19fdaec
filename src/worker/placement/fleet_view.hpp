#pragma once

#include "base/time.hpp"
#include "scoreboard/memory.hpp"
#include "scoreboard/reader.hpp"

namespace serval::worker::placement {

/// What one worker knows of the others, from the scoreboard alone. Loop only, but for others().
class FleetView {
 public:
  /// `threads`: that each worker has. The scoreboard is borrowed.
  FleetView(const scoreboard::Memory& memory, int slot, int threads, int cpus)
      : memory_(memory), slot_(slot), threads_(threads), cpus_(cpus) {}

  int cpus() const { return cpus_; }
  /// Of generations, under way now.
  Comparison comparison() const { return scoreboard::read_comparison(memory_); }
  int own_generation() const { return scoreboard::generation_of(memory_, slot_); }
  /// Those in lower slots, as they were at most a millisecond ago; counted as far as it matters (placement/policy.hpp).
  /// None while two generations are compared: both are to get requests, and the newer one has higher slots.
  const scoreboard::Siblings& before(TimePoint now);
  /// What the one that comes first has accepted so far; 0: there is none, or it is unknown.
  std::uint64_t taken_by_first() const { return before_.first < 0 ? 0 : scoreboard::accepted(memory_, before_.first); }
  /// All but this one. Any thread.
  scoreboard::Siblings others(TimePoint now) const;
  /// None of the others is in a better state to take a connection, as they were at most a millisecond ago.
  bool none_has_headroom(TimePoint now);
  /// While the app of this one does not want requests: another worker's does.
  bool another_is_ready() const;
  /// Threads of others that could take a request each; counted as far as `enough`.
  int free_threads(int enough) const { return scoreboard::free_threads(memory_, slot_, threads_, enough); }
  /// Requests here that have been running since before that time.
  int running_since_before(TimePoint time) const { return scoreboard::running_since_before(memory_, slot_, time); }
  int threads() const { return threads_; }

 private:
  const scoreboard::Memory& memory_;
  const int slot_;
  const int threads_;
  const int cpus_;
  const scoreboard::Siblings& all_others(TimePoint now);

  TimePoint looked_{};
  scoreboard::Siblings before_;
  TimePoint looked_at_all_{};
  scoreboard::Siblings others_;
};

}  // namespace serval::worker::placement
