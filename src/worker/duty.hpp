#pragma once

#include "base/time.hpp"
#include "scoreboard/memory.hpp"

namespace serval::worker {

/// Who takes new connections first: the worker in the lowest slot that is at ease, and all below it. More workers than are needed would only take
/// the CPUs from each other, wake up for less at a time, and each heat its own caches (tests/bench/README.md has the figures). No more of them take
/// their share for their loops' sake than there are CPUs. Who has no duty leaves connections alone for a few milliseconds only, so nobody has to
/// come for others to be served. All that is known of others is the scoreboard.
class Duty {
 public:
  /// `threads`: that each worker has. The scoreboard is borrowed.
  Duty(const scoreboard::Memory& memory, int slot, int threads, int cpus) : memory_(memory), slot_(slot), threads_(threads), cpus_(cpus) {}

  /// Whether it is ours, as things were at most a millisecond ago. Loop only.
  bool on(TimePoint now);
  /// It is not ours, and more siblings than there are CPUs come before us.
  bool is_far() const { return far_; }
  /// It is not ours: what the one who has it has accepted so far, so that it is seen whether that one comes. 0: unknown.
  std::uint64_t done_by_sibling() const;
  /// Our loop is strained: whether a CPU is left for another one, and somebody is at ease who would take connections of ours. Any thread.
  bool can_share(TimePoint now) const;

 private:
  const scoreboard::Memory& memory_;
  const int slot_;
  const int threads_;
  const int cpus_;
  TimePoint looked_{};
  bool on_ = true;
  bool far_ = false;
  int sibling_ = -1;  ///< who has it if we have not
};

}  // namespace serval::worker
