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

/// A place that one worker fills after another; at most one process at a time. The supervisor's functions change it, through these steps only.
///
/// A serving worker that has to go becomes due, then (maybe after others) its replacement begins, and once a successor serves it is retired.
class Slot {
 public:
  explicit Slot(int index) : index_(index) {}
  Slot(int index, const SlotRecord& record);
  SlotRecord record() const;

  void start(int generation, int number, TimePoint now, TimePoint deadline);
  void forked(pid_t pid);
  void ready(TimePoint now);  ///< the deadline stays until the pid is known, too
  void become_due(Cause cause, TimePoint now);   ///< serving only; a stronger cause than the one before wins
  void keep();                                   ///< it need not go after all
  void begin_replacement(TimePoint deadline);    ///< due only; the deadline is for the successor
  void retire(Cause cause, TimePoint now, TimePoint deadline);  ///< a cause given before stays
  void leave() { door_deadline_ = TimePoint::max(); }            ///< it answers nobody new any more, or nobody waits for that any more
  void kill(Cause cause, TimePoint deadline = TimePoint::max());  ///< what ends it is its cause; the deadline is for a signal that can be survived
  void end_by(Cause cause);  ///< another cause than it had; that one becomes the first
  void ready_after_all(TimePoint now, TimePoint deadline);  ///< draining; it had begun to serve before it heard of that
  void shorten(TimePoint deadline) { deadline_ = std::min(deadline_, deadline); }
  void explain(std::string why) { why_ = std::move(why); }  ///< its end
  void clear();                                  ///< the worker is gone, or never came
  void cool(TimePoint until);                    ///< likewise, and the next one has to wait
  void ask_reopen() { ++reopens_pending_; }
  void reopened();

  /// Its seat: where its cells are on the scoreboard, and what events and actions call it.
  int index() const { return index_; }
  /// The slot as the app, commands and the log know it. A successor has the number of the one that it replaces, while both live.
  int number() const { return number_; }
  SlotState state() const { return state_; }
  int generation() const { return generation_; }
  pid_t pid() const { return pid_; }  ///< 0: none, or asked of the mold and not known yet
  Cause cause() const { return cause_; }
  Cause first_cause() const { return first_cause_; }  ///< for which it was to go before something harder ended it; none: for nothing else
  const std::string& why() const { return why_; }  ///< it ends, beyond the cause: most often its own words; may be empty
  bool reopen_pending() const { return reopens_pending_ > 0; }
  TimePoint started() const { return started_; }
  TimePoint ready_at() const { return ready_at_; }  ///< max(): not yet
  TimePoint deadline() const { return deadline_; }  ///< when the state must have ended; max(): no limit

  /// Asked to go, it has not said yet that it answers nobody new.
  bool at_door() const { return door_deadline_ != TimePoint::max(); }
  TimePoint door_deadline() const { return door_deadline_; }  ///< when nobody waits for that any more

  bool boots() const { return occupied() && ready_at_ == TimePoint::max(); }
  bool serving() const { return state_ == SlotState::serving; }
  bool due() const { return serving() && cause_ != Cause::none; }
  TimePoint due_since() const { return due_since_; }
  bool being_replaced() const { return serving() && replacing_; }
  bool occupied() const { return state_ != SlotState::empty && state_ != SlotState::cooling; }
  bool forking() const { return occupied() && pid_ == 0; }
  /// Counts towards the wanted number: serves, will serve, or is about to be started again.
  bool active() const;
  Clock::duration healthy_for(TimePoint now) const;  ///< since it became ready; zero if it never did

  Backoff backoff;  ///< survives the workers that fill the slot

  // Of the worker that serves; start over with each.
  Heart heart;
  TimePoint expires = TimePoint::max();  ///< when it is too old
  int looks_above_soft = 0;              ///< in a row
  bool above_hard = false;               ///< at the last look
  bool stuck = false;                    ///< a handler ran past its deadline
  std::uint32_t paused = 0;              ///< the last pause in which it has had no request in progress

 private:
  int index_;
  int number_ = 0;
  SlotState state_ = SlotState::empty;
  int generation_ = 0;
  pid_t pid_ = 0;
  Cause cause_ = Cause::none;
  Cause first_cause_ = Cause::none;
  bool replacing_ = false;
  std::string why_;
  int reopens_pending_ = 0;
  TimePoint started_{};
  TimePoint due_since_ = TimePoint::max();
  TimePoint ready_at_ = TimePoint::max();
  TimePoint deadline_ = TimePoint::max();
  TimePoint door_deadline_ = TimePoint::max();
};

}  // namespace serval::supervisor
