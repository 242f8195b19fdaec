#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/time.hpp"

namespace serval::worker {

/// Handlers that have run past their deadlines, and have been told so: one that looks at cancelled(), cleans up and
/// returns within a second costs its worker nothing; one that does not is stuck, and its thread cannot be reclaimed.
/// Pure.
class LastChances {
 public:
  static constexpr Duration kReturnTimeout = std::chrono::seconds(1);

  /// `handler` only identifies it. Calls come in the order of their times.
  void add(const void* handler, TimePoint now);
  /// It has returned, in time or not; nothing happens if it was never added.
  void returned(const void* handler);
  /// Those whose second is over are stuck from now on; how many these are.
  int give_up(TimePoint now);
  /// When give_up() is next worth calling.
  std::optional<TimePoint> next() const;

  /// All that have not returned.
  int told() const { return static_cast<int>(told_.size()); }
  /// Those whose second is over.
  int stuck() const { return stuck_; }

 private:
  struct Told {
    const void* handler;
    TimePoint until;
  };
  std::deque<Told> told_;  ///< the stuck ones first
  int stuck_ = 0;
};

}  // namespace serval::worker
