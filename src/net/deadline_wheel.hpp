#pragma once

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <optional>

#include "base/time.hpp"

namespace serval::net {

/// Something with one deadline. In at most one wheel at a time; leaves it when destroyed.
class Deadlined : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Deadlined() = default;
  virtual ~Deadlined() = default;
  Deadlined(const Deadlined&) = delete;
  Deadlined& operator=(const Deadlined&) = delete;

  TimePoint deadline() const { return deadline_; }
  /// It has passed. Called on the loop; may set any deadline anew and destroy anything, but must not run a handler
  /// (server/handler.hpp).
  virtual void on_deadline(TimePoint now) = 0;

 private:
  friend class DeadlineWheel;
  TimePoint deadline_ = TimePoint::max();
  long long tick_ = 0;  ///< whose bucket it is in
};

/// Deadlines in O(1), without a clock or timer of its own. Pure.
///
/// Moving a deadline later, as nearly every request does, only writes it down: the entry stays in its bucket, and
/// expire() moves it on when that bucket comes up. A deadline fires up to one tick late, never early.
class DeadlineWheel {
 public:
  static constexpr Duration kTick{50};
  static constexpr int kBuckets = 1024;  // 51 s ahead; what lies beyond is moved on once in a turn

  explicit DeadlineWheel(TimePoint now) : origin_(now) {}

  /// TimePoint::max() is no deadline.
  void set(Deadlined& entry, TimePoint deadline);

  /// When expire() is next worth calling; none if no entry is in the wheel.
  std::optional<TimePoint> next() const;

  /// Calls `due(entry)` for every entry whose deadline has passed; it is out of the wheel by then. `due` may set() any
  /// entry and may destroy any, also the one it is given.
  template <class Due>
  void expire(TimePoint now, Due due) {
    const long long end = floor_tick(now);
    current_ = std::max(current_, end - kBuckets + 1);
    while (current_ <= end) {
      Bucket batch;
      batch.splice(batch.end(), bucket(current_++));
      while (!batch.empty()) {
        Deadlined& entry = batch.front();
        batch.pop_front();
        if (entry.deadline_ <= now) {
          due(entry);
        } else if (entry.deadline_ != TimePoint::max()) {
          link(entry);
        }
      }
    }
  }

 private:
  using Bucket = boost::intrusive::list<Deadlined, boost::intrusive::constant_time_size<false>>;

  long long floor_tick(TimePoint time) const { return (time - origin_) / kTick; }
  long long ceil_tick(TimePoint time) const;
  void link(Deadlined& entry);
  Bucket& bucket(long long tick) { return buckets_[static_cast<std::size_t>(tick % kBuckets)]; }
  const Bucket& bucket(long long tick) const { return buckets_[static_cast<std::size_t>(tick % kBuckets)]; }

  TimePoint origin_;
  long long current_ = 0;  ///< the first tick that has not been expired
  std::array<Bucket, kBuckets> buckets_;
};

}  // namespace serval::net
