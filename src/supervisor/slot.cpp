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

Slot::Slot(int index, const SlotRecord& record)
    : backoff(record.crashes_in_a_row),
      expires(record.expires),
      stuck(record.stuck),
      paused(record.paused),
      index_(index),
      number_(record.number >= 0 ? record.number : index),
      state_(record.state),
      generation_(record.generation),
      pid_(record.pid),
      cause_(record.cause),
      first_cause_(record.first_cause),
      replacing_(record.replacing),
      why_(record.why),
      started_(record.started),
      due_since_(record.due_since),
      ready_at_(record.ready_at),
      deadline_(record.deadline),
      door_deadline_(record.door_deadline) {}

SlotRecord Slot::record() const {
  return {.state = state_,
          .number = number_,
          .generation = generation_,
          .pid = pid_,
          .cause = cause_,
          .first_cause = first_cause_,
          .replacing = replacing_,
          .stuck = stuck,
          .paused = paused,
          .why = why_,
          .crashes_in_a_row = backoff.crashes_in_a_row(),
          .started = started_,
          .due_since = due_since_,
          .ready_at = ready_at_,
          .deadline = deadline_,
          .door_deadline = door_deadline_,
          .expires = expires};
}

void Slot::start(int generation, int number, TimePoint now, TimePoint deadline) {
  SERVAL_CHECK(!occupied());
  clear();
  number_ = number;
  state_ = SlotState::starting;
  generation_ = generation;
  started_ = now;
  deadline_ = deadline;
}

void Slot::ready(TimePoint now) {
  SERVAL_CHECK(state_ == SlotState::starting);
  state_ = SlotState::serving;
  ready_at_ = now;
  if (pid_ != 0) deadline_ = TimePoint::max();
}

void Slot::forked(pid_t pid) {
  pid_ = pid;
  if (state_ == SlotState::serving) deadline_ = TimePoint::max();
}

void Slot::become_due(Cause cause, TimePoint now) {
  SERVAL_CHECK(serving());
  const bool stronger = cause_ == Cause::none || (can_wait(cause_) && !can_wait(cause));
  if (replacing_ || !stronger) return;
  if (cause_ == Cause::none) due_since_ = now;
  cause_ = cause;
}

void Slot::keep() {
  SERVAL_CHECK(serving());
  cause_ = Cause::none;
  replacing_ = false;
  due_since_ = deadline_ = TimePoint::max();
}

void Slot::begin_replacement(TimePoint deadline) {
  SERVAL_CHECK(due() && !replacing_);
  replacing_ = true;
  deadline_ = deadline;
}

namespace {

/// For an old worker to finish with those who come to it, most of all for one that hangs: a reload waits for no longer. Workers need milliseconds
/// for it; more only when their siblings cannot take over what they have (worker/departures.cpp: 1 s), and for who came last (300 ms).
constexpr auto kDoorPatience = std::chrono::seconds(3);

}  // namespace

void Slot::retire(Cause cause, TimePoint now, TimePoint deadline) {
  SERVAL_CHECK(state_ == SlotState::starting || state_ == SlotState::serving);
  // Whoever was only due ends for the reason that is at hand now.
  if (!replacing_) cause_ = cause;
  state_ = SlotState::draining;
  deadline_ = deadline;
  door_deadline_ = now + kDoorPatience;
}

void Slot::ready_after_all(TimePoint now, TimePoint deadline) {
  SERVAL_CHECK(state_ == SlotState::draining);
  ready_at_ = now;
  deadline_ = deadline;
}

void Slot::kill(Cause cause, TimePoint deadline) {
  SERVAL_CHECK(occupied());
  end_by(cause);
  state_ = SlotState::killing;
  deadline_ = deadline;
}

void Slot::end_by(Cause cause) {
  if (cause_ == cause) return;
  first_cause_ = cause_;
  cause_ = cause;
}

void Slot::clear() {
  state_ = SlotState::empty;
  pid_ = 0;
  cause_ = first_cause_ = Cause::none;
  replacing_ = false;
  due_since_ = TimePoint::max();
  heart = Heart();
  expires = TimePoint::max();
  looks_above_soft = 0;
  above_hard = stuck = false;
  paused = 0;
  why_.clear();
  reopens_pending_ = 0;
  ready_at_ = TimePoint::max();
  deadline_ = door_deadline_ = TimePoint::max();
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
