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

Slot::Slot(int index, const SlotRecord& record) : SlotView(index), backoff(record.crashes_in_a_row) {
  state_ = record;
  if (state_.number < 0) state_.number = index;
}

SlotRecord Slot::record() const {
  SlotRecord record = state_;
  record.crashes_in_a_row = backoff.crashes_in_a_row();
  return record;
}

void Slot::start(int generation, int number, TimePoint now, TimePoint deadline) {
  SERVAL_CHECK(!occupied());
  clear();
  state_.number = number;
  state_.state = SlotState::starting;
  state_.generation = generation;
  state_.started = now;
  state_.deadline = deadline;
}

void Slot::ready(TimePoint now) {
  SERVAL_CHECK(state_.state == SlotState::starting);
  state_.state = SlotState::serving;
  state_.ready_at = now;
  if (state_.pid != 0) state_.deadline = TimePoint::max();
}

void Slot::forked(pid_t pid) {
  state_.pid = pid;
  if (state_.state == SlotState::serving) state_.deadline = TimePoint::max();
}

void Slot::become_due(Cause cause, TimePoint now) {
  SERVAL_CHECK(serving());
  const bool stronger = state_.cause == Cause::none || (can_wait(state_.cause) && !can_wait(cause));
  if (state_.replacing || !stronger) return;
  if (state_.cause == Cause::none) state_.due_since = now;
  state_.cause = cause;
}

void Slot::keep() {
  SERVAL_CHECK(serving());
  state_.cause = Cause::none;
  state_.replacing = false;
  state_.due_since = state_.deadline = TimePoint::max();
}

void Slot::begin_replacement(TimePoint deadline) {
  SERVAL_CHECK(due() && !state_.replacing);
  state_.replacing = true;
  state_.deadline = deadline;
}

namespace {

/// How long a reload waits for an old worker to stop accepting; one that hangs needs all of it. Workers need
/// milliseconds for it; more only when their siblings cannot take over what they have (worker/departures.cpp: 1 s), and
/// for the connections that came last (300 ms).
constexpr auto kDoorPatience = std::chrono::seconds(3);

}  // namespace

void Slot::retire(Cause cause, TimePoint now, TimePoint deadline) {
  SERVAL_CHECK(state_.state == SlotState::starting || state_.state == SlotState::serving);
  // One that was only due ends for the reason that is at hand now.
  if (!state_.replacing) state_.cause = cause;
  state_.state = SlotState::draining;
  state_.deadline = deadline;
  state_.door_deadline = now + kDoorPatience;
}

void Slot::ready_after_all(TimePoint now, TimePoint deadline) {
  SERVAL_CHECK(state_.state == SlotState::draining);
  state_.ready_at = now;
  state_.deadline = deadline;
}

void Slot::kill(Cause cause, TimePoint deadline) {
  SERVAL_CHECK(occupied());
  end_by(cause);
  state_.state = SlotState::killing;
  state_.deadline = deadline;
}

void Slot::end_by(Cause cause) {
  if (state_.cause == cause) return;
  state_.first_cause = state_.cause;
  state_.cause = cause;
}

void Slot::clear() {
  state_ = {.number = number(), .generation = generation(), .started = started()};
  watched = {};
  reopens_pending_ = 0;
}

void Slot::cool(TimePoint until) {
  clear();
  state_.state = SlotState::cooling;
  state_.deadline = until;
}

bool SlotView::active() const {
  switch (state_.state) {
    case SlotState::starting:
    case SlotState::serving:
    case SlotState::cooling: return true;
    case SlotState::killing: return state_.cause == Cause::boot_failed;  // it cools next
    case SlotState::empty:
    case SlotState::draining: return false;
  }
  return false;
}

void Slot::reopened() { reopens_pending_ = std::max(0, reopens_pending_ - 1); }

Clock::duration SlotView::healthy_for(TimePoint now) const {
  if (state_.ready_at == TimePoint::max()) return Clock::duration::zero();
  return std::max(now - state_.ready_at, Clock::duration(1));  // ready and dead in one instant still was healthy
}

}  // namespace serval::supervisor
