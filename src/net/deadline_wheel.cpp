#include "net/deadline_wheel.hpp"

namespace serval::net {

long long DeadlineWheel::ceil_tick(TimePoint time) const {
  const long long tick = floor_tick(time);
  return origin_ + tick * kTick < time ? tick + 1 : tick;
}

void DeadlineWheel::set(Deadlined& entry, TimePoint deadline) {
  entry.deadline_ = deadline;
  if (deadline == TimePoint::max()) return;  // expire() drops it
  if (entry.is_linked()) {
    if (entry.tick_ <= ceil_tick(deadline)) return;
    entry.unlink();
  }
  link(entry);
}

void DeadlineWheel::link(Deadlined& entry) {
  entry.tick_ = std::clamp(ceil_tick(entry.deadline_), current_, current_ + kBuckets - 1);
  bucket(entry.tick_).push_back(entry);
}

std::optional<TimePoint> DeadlineWheel::next() const {
  for (long long tick = current_; tick < current_ + kBuckets; ++tick) {
    if (!bucket(tick).empty()) return origin_ + tick * kTick;
  }
  return std::nullopt;
}

}  // namespace serval::net
