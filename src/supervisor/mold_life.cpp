#include <utility>

#include "base/exit_code.hpp"
#include "supervisor/supervisor.hpp"

// One mold's life: spawned, loading, ready, gone, and started again.
namespace serval::supervisor {

std::string_view name_of(MoldState state) {
  switch (state) {
    case MoldState::absent: return "absent";
    case MoldState::loading: return "loading";
    case MoldState::ready: return "ready";
    case MoldState::leaving: return "leaving";
    case MoldState::cooling: return "cooling";
  }
  return "?";
}

void Supervisor::start_mold() {
  mold_.state = MoldState::loading;
  mold_.pid = 0;
  mold_.started = now_;
  mold_.loaded_at = TimePoint::max();
  mold_.deadline = after(settings_.limits.boot_timeout);
  mold_.why.clear();
  mold_.reopens_pending = 0;
  act(StartMold{mold_.generation});
}

void Supervisor::handle(const MoldStarted& event) {
  if (event.generation != mold_.generation || mold_.pid != 0) return;
  mold_.pid = event.pid;
  if (phase_ == Phase::stopping) kill_mold();
}

void Supervisor::handle(const MoldNotStarted& event) {
  if (event.generation != mold_.generation || mold_.state != MoldState::loading) return;
  mold_failed(event.why, {});
}

void Supervisor::handle(const MoldLoaded& event) {
  if (event.generation != mold_.generation || mold_.state != MoldState::loading) return;
  mold_.state = MoldState::ready;
  mold_.loaded_at = now_;
  mold_.deadline = TimePoint::max();
  for (Slot& slot : slots_) {
    if (slot.serving() && slot.generation() != mold_.generation) make_due(slot, Cause::reload);
  }
  say(log::Level::info, "app loaded", {{"gen", mold_.generation}, {"load_ms", std::chrono::duration_cast<Duration>(now_ - mold_.started)}});
}

void Supervisor::handle(const MoldLoadFailed& event) {
  if (event.generation == mold_.generation && mold_.why.empty()) mold_.why = event.why;
}

void Supervisor::mold_exited(const Exit& exit) {
  release_unforked_slots();
  mold_.reopens_pending = 0;
  mold_.pid = 0;
  if (mold_.state == MoldState::leaving && phase_ != Phase::stopping) {
    ++mold_.generation;
    return start_mold();
  }
  const bool loading = mold_.state == MoldState::loading;
  std::vector<log::Field> fields;
  std::string why = mold_.why;
  if (why.empty()) {
    why = std::string(loading ? "the mold ended while it loaded the app: " : "the mold ended: ") + exit.text;
    if (exit.signaled) fields.emplace_back("core", exit.core ? "yes" : "no");
  }
  mold_failed(why, std::move(fields));
}

/// Whoever runs crashes over and over, and what is on disk is something else by now: it can only be better.
void Supervisor::handle(const AppChanged& event) {
  if (event.generation != mold_.generation || mold_.state != MoldState::ready || !crash_looping()) return;
  say(log::Level::warning, "the app crashes over and over, and its library has changed on disk: loading it anew", {{"gen", mold_.generation + 1}});
  mold_.state = MoldState::leaving;
  mold_.deadline = now_ + settings_.grace;
  mold_.backoff.forget();
  for (Slot& slot : slots_) {
    slot.backoff.forget();
    if (slot.state() == SlotState::cooling) slot.cool(now_);
  }
  act(StopMold{mold_.generation});
}

/// Workers are never touched by this: they do not need the mold, only their successors do.
void Supervisor::mold_failed(const std::string& why, std::vector<log::Field> fields) {
  if (phase_ == Phase::booting || phase_ == Phase::stopping) {
    mold_.state = MoldState::absent;
    mold_.deadline = TimePoint::max();
  }
  if (phase_ == Phase::stopping) return;
  fields.insert(fields.begin(), {{"gen", mold_.generation}, {"why", why}});
  if (phase_ == Phase::booting) return fail_boot("the app failed to load", std::move(fields));
  const Clock::duration healthy_for = mold_.loaded_at == TimePoint::max() ? Clock::duration::zero() : now_ - mold_.loaded_at;
  const Duration delay = mold_.backoff.crashed(settings_.restart, healthy_for, random_);
  mold_.state = MoldState::cooling;
  mold_.deadline = now_ + delay;
  const bool give_up = one_crash_too_many(healthy_for);
  fields.emplace_back("next", give_up ? "giving up" : restarting(delay));
  say(log::Level::error, "mold died", std::move(fields));
  if (give_up) begin_stop(exit_code::gave_up);
}

/// What the mold was asked for and did not do is asked again of its successor.
void Supervisor::release_unforked_slots() {
  for (Slot& slot : slots_) {
    if (slot.forking()) slot.clear();
  }
}

}  // namespace serval::supervisor
