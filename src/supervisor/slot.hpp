#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/cause_table.hpp"
#include "base/time.hpp"
#include "supervisor/backoff.hpp"
#include "supervisor/heart.hpp"
#include "supervisor/state.hpp"

namespace serval::supervisor {

using serval::Cause;
using serval::name_of;

/// ```
/// empty ─start→ starting ─ready→ serving ─retire→ draining ─exit→ empty
///                  │  boot timeout  │                 └ grace over → killing ─exit→ empty
///                  └──── exit ──────┴─ exit → cooling ─delay over→ starting
/// ```
std::string_view name_of(SlotState state);

/// What can be asked of a slot.
class SlotView {
 public:
  /// Its seat: where its cells are on the scoreboard, and what events and actions call it.
  int index() const { return index_; }
  /// The slot as the app, commands and the log know it. A successor has the number of the one that it replaces, while
  /// both live.
  int number() const { return state_.number; }
  SlotState state() const { return state_.state; }
  int generation() const { return state_.generation; }
  pid_t pid() const { return state_.pid; }  ///< 0: none, or asked of the mold and not known yet
  Cause cause() const { return state_.cause; }
  /// For which it was to go before something harder ended it; none: for nothing else.
  Cause first_cause() const { return state_.first_cause; }
  /// Why it ends, beyond the cause: most often its own words; may be empty.
  const std::string& why() const { return state_.why; }
  bool reopen_pending() const { return reopens_pending_ > 0; }
  TimePoint started() const { return state_.started; }
  TimePoint ready_at() const { return state_.ready_at; }  ///< max(): not yet
  TimePoint deadline() const { return state_.deadline; }  ///< when the state must have ended; max(): no limit

  TimePoint expires() const { return state_.expires; }  ///< when it is too old
  bool stuck() const { return state_.stuck; }           ///< a handler ran past its deadline
  std::uint32_t paused() const { return state_.paused; }  ///< the last pause in which it has had no request in progress

  /// Asked to go, it has not said yet that it accepts no new requests.
  bool at_door() const { return state_.door_deadline != TimePoint::max(); }
  TimePoint door_deadline() const { return state_.door_deadline; }  ///< when we stop waiting for that

  bool boots() const { return occupied() && ready_at() == TimePoint::max(); }
  bool serving() const { return state() == SlotState::serving; }
  bool due() const { return serving() && cause() != Cause::none; }
  TimePoint due_since() const { return state_.due_since; }
  bool being_replaced() const { return serving() && state_.replacing; }
  bool occupied() const { return state() != SlotState::empty && state() != SlotState::cooling; }
  bool forking() const { return occupied() && pid() == 0; }
  /// Counts towards the wanted number: serves, will serve, or is about to be started again.
  bool active() const;
  Clock::duration healthy_for(TimePoint now) const;  ///< since it became ready; zero if it never did

 protected:
  explicit SlotView(int index) : index_(index) { state_.number = 0; }
  ~SlotView() = default;

  int index_;
  SlotRecord state_;  ///< its crashes_in_a_row are the backoff's
  int reopens_pending_ = 0;
};

/// A place that one worker fills after another; at most one process at a time. It changes through these steps only.
///
/// A serving worker that has to go becomes due, then (maybe after others) its replacement begins, and once a successor
/// serves it is retired.
class Slot final : public SlotView {
 public:
  explicit Slot(int index) : SlotView(index) {}
  Slot(int index, const SlotRecord& record);
  SlotRecord record() const;

  void start(int generation, int number, TimePoint now, TimePoint deadline);
  void forked(pid_t pid);
  void ready(TimePoint now);  ///< the deadline stays until the pid is known, too
  void become_due(Cause cause, TimePoint now);   ///< serving only; a stronger cause than the one before wins
  void keep();                                   ///< it need not go after all
  void begin_replacement(TimePoint deadline);    ///< due only; the deadline is for the successor
  void retire(Cause cause, TimePoint now, TimePoint deadline);  ///< a cause given before stays
  /// It accepts no new requests, or we stopped waiting for it to say so.
  void leave() { state_.door_deadline = TimePoint::max(); }
  /// What ends it is its cause; the deadline is for a signal that can be survived.
  void kill(Cause cause, TimePoint deadline = TimePoint::max());
  void end_by(Cause cause);  ///< another cause than it had; that one becomes the first
  void ready_after_all(TimePoint now, TimePoint deadline);  ///< draining; it had begun to serve before it heard of that
  void leave_for(Cause cause) { state_.cause = cause; }  ///< draining; what it left for shows only now
  void shorten(TimePoint deadline) { state_.deadline = std::min(state_.deadline, deadline); }
  void explain(std::string why) { state_.why = std::move(why); }  ///< its end
  void clear();                                  ///< the worker is gone, or never came
  void cool(TimePoint until);                    ///< likewise, and the next one has to wait
  void expire_at(TimePoint time) { state_.expires = time; }
  void mark_stuck() { state_.stuck = true; }
  void pause_in(std::uint32_t pause) { state_.paused = pause; }
  void ask_reopen() { ++reopens_pending_; }
  void reopened();

  Backoff backoff;  ///< survives the workers that fill the slot

  /// What is known of the worker from outside: Watch's own, starts over with each worker.
  struct Watched {
    Heart heart;
    bool taken_over = false;   ///< from an earlier version of serval, which may have been its own
    int looks_above_soft = 0;  ///< in a row
    bool above_hard = false;   ///< at the last look
  };
  Watched watched;
};

}  // namespace serval::supervisor
