#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/time.hpp"
#include "supervisor/backoff.hpp"

namespace serval::supervisor {

/// ```
/// empty ─start→ starting ─ready→ serving ─retire→ draining ─exit→ empty
///                  │  boot timeout  │                 └ grace over → killing ─exit→ empty
///                  └──── exit ──────┴─ exit → cooling ─delay over→ starting
/// ```
enum class SlotState { empty, starting, serving, draining, killing, cooling };
std::string_view name_of(SlotState state);

/// Why a worker ended or was made to. Exactly one per worker, decided once.
enum class Cause { none, crash, boot_failed, manual, stop };
std::string_view name_of(Cause cause);

/// A place that one worker fills after another; at most one process at a time. The supervisor's functions change it, through these steps only.
class Slot {
 public:
  explicit Slot(int index) : index_(index) {}

  void start(int generation, TimePoint now, TimePoint deadline);
  void forked(pid_t pid) { pid_ = pid; }
  void ready(TimePoint now);
  void retire(Cause cause, TimePoint deadline);  ///< a cause given before stays
  void kill(Cause cause);                        ///< likewise
  void boot_failed(std::string why) { why_ = std::move(why); }
  void clear();                                  ///< the worker is gone, or never came
  void cool(TimePoint until);                    ///< likewise, and the next one has to wait
  void ask_reopen() { ++reopens_pending_; }
  void reopened();

  int index() const { return index_; }
  SlotState state() const { return state_; }
  int generation() const { return generation_; }
  pid_t pid() const { return pid_; }  ///< 0: none, or asked of the mold and not known yet
  Cause cause() const { return cause_; }
  const std::string& why() const { return why_; }  ///< the worker's own words for its failed boot; may be empty
  bool reopen_pending() const { return reopens_pending_ > 0; }
  TimePoint started() const { return started_; }
  TimePoint ready_at() const { return ready_at_; }  ///< max(): not yet
  TimePoint deadline() const { return deadline_; }  ///< when the state must have ended; max(): no limit

  bool occupied() const { return state_ != SlotState::empty && state_ != SlotState::cooling; }
  bool forking() const { return occupied() && pid_ == 0; }
  /// Counts towards the wanted number: serves, will serve, or is about to be started again.
  bool active() const;
  Clock::duration healthy_for(TimePoint now) const;  ///< since it became ready; zero if it never did

  Backoff backoff;  ///< survives the workers that fill the slot

 private:
  int index_;
  SlotState state_ = SlotState::empty;
  int generation_ = 0;
  pid_t pid_ = 0;
  Cause cause_ = Cause::none;
  std::string why_;
  int reopens_pending_ = 0;
  TimePoint started_{};
  TimePoint ready_at_ = TimePoint::max();
  TimePoint deadline_ = TimePoint::max();
};

}  // namespace serval::supervisor
