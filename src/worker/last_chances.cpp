#include "worker/last_chances.hpp"

#include <algorithm>

namespace serval::worker {

void LastChances::add(const void* handler, TimePoint now) { told_.push_back({handler, now + kReturnTimeout}); }

void LastChances::returned(const void* handler) {
  const auto found =
      std::find_if(told_.begin(), told_.end(), [=](const Told& told) { return told.handler == handler; });
  if (found == told_.end()) return;
  if (found - told_.begin() < stuck_) --stuck_;
  told_.erase(found);
}

int LastChances::give_up(TimePoint now) {
  const int before = stuck_;
  while (stuck_ < told() && told_[static_cast<std::size_t>(stuck_)].until <= now) ++stuck_;
  return stuck_ - before;
}

std::optional<TimePoint> LastChances::next() const {
  if (stuck_ == told()) return std::nullopt;
  return told_[static_cast<std::size_t>(stuck_)].until;
}

}  // namespace serval::worker
