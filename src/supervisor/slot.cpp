#include "supervisor/slot.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace serval::supervisor {

std::string_view name_of(SlotState state) {
  switch (state) {
    case SlotState::empty: return "empty";
    case SlotState::starting: return "starting";
    case SlotState::serving: return "serving";
    case SlotState::draining: return "draining";
    case SlotState::killing: return "killing";
    case SlotState::cooling: return "cooling";
  }
  return "?";
}

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::none: return "none";
    case Cause::crash: return "crash";
    case Cause::boot_failed: return "boot_failed";
    case Cause::manual: return "manual";
    case Cause::stop: return "stop";
  }
  return "?";
}

void Slot::start(int generation, TimePoint now, TimePoint deadline) {
  SERVAL_CHECK(!occupied());
  clear();
  state_ = SlotState::starting;
  generation_ = generation;
  started_ = now;
  deadline_ = deadline;
}

void Slot::ready(TimePoint now) {
  SERVAL_CHECK(state_ == SlotState::starting);
  state_ = SlotState::serving;
  ready_at_ = now;
  deadline_ = TimePoint::max();
}

void Slot::retire(Cause cause, TimePoint deadline) {
  SERVAL_CHECK(state_ == SlotState::starting || state_ == SlotState::serving);
  state_ = SlotState::draining;
  cause_ = cause;
  deadline_ = deadline;
}

void Slot::kill(Cause cause) {
  SERVAL_CHECK(occupied());
  state_ = SlotState::killing;
  if (cause_ == Cause::none) cause_ = cause;
  deadline_ = TimePoint::max();
}

void Slot::clear() {
  state_ = SlotState::empty;
  pid_ = 0;
  cause_ = Cause::none;
  why_.clear();
  reopens_pending_ = 0;
  ready_at_ = TimePoint::max();
  deadline_ = TimePoint::max();
}

void Slot::cool(TimePoint until) {
  clear();
  state_ = SlotState::cooling;
  deadline_ = until;
}

bool Slot::active() const {
  switch (state_) {
    case SlotState::starting:
    case SlotState::serving:
    case SlotState::cooling: return true;
    case SlotState::killing: return cause_ == Cause::boot_failed;  // it cools next
    case SlotState::empty:
    case SlotState::draining: return false;
  }
  return false;
}

void Slot::reopened() { reopens_pending_ = std::max(0, reopens_pending_ - 1); }

Clock::duration Slot::healthy_for(TimePoint now) const {
  if (ready_at_ == TimePoint::max()) return Clock::duration::zero();
  return std::max(now - ready_at_, Clock::duration(1));  // ready and dead in one instant still was healthy
}

}  // namespace serval::supervisor
