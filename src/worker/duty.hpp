#pragma once

#include "base/time.hpp"
#include "scoreboard/memory.hpp"

namespace serval::worker {

/// Which workers take new connections first: as many as there are CPUs, those in the lowest slots of whose threads most are free. More of them
/// would only take the CPUs from each other, wake up for less at a time, and each heat its own caches (tests/bench/README.md has the figures);
/// the others are there for handlers that wait. Who has no duty leaves connections alone for a few milliseconds only, so nobody has to come for
/// others to be served. Loop only.
class Duty {
 public:
  /// `threads`: that each worker has. The scoreboard is borrowed.
  Duty(const scoreboard::Memory& memory, int slot, int threads, int cpus) : memory_(memory), slot_(slot), threads_(threads), cpus_(cpus) {}

  /// As it was at most a millisecond ago.
  bool on(TimePoint now);

 private:
  const scoreboard::Memory& memory_;
  const int slot_;
  const int threads_;
  const int cpus_;
  TimePoint looked_{};
  bool on_ = true;
};

}  // namespace serval::worker
