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

Mold* Supervisor::find_mold(int generation) {
  const auto found = molds_.find(generation);
  return found == molds_.end() ? nullptr : &found->second;
}

void Supervisor::start_mold(Mold& mold) {
  mold.state = MoldState::loading;
  mold.pid = 0;
  mold.killed = false;
  mold.started = now_;
  mold.loaded_at = TimePoint::max();
  mold.deadline = after(settings_.limits.boot_timeout);
  mold.why.clear();
  mold.reopens_pending = 0;
  act(StartMold{mold.generation});
}

void Supervisor::handle(const MoldStarted& event) {
  Mold* mold = find_mold(event.generation);
  if (mold == nullptr || mold->pid != 0) return;
  mold->pid = event.pid;
  if (phase_ == Phase::stopping || mold->state == MoldState::leaving) kill_mold(*mold);
}

void Supervisor::handle(const MoldNotStarted& event) {
  Mold* mold = find_mold(event.generation);
  if (mold == nullptr || mold->state != MoldState::loading) return;
  mold_failed(*mold, event.why, {});
}

void Supervisor::handle(const MoldLoaded& event) {
  Mold* mold = find_mold(event.generation);
  if (mold == nullptr || mold->state != MoldState::loading) return;
  mold->state = MoldState::ready;
  mold->loaded_at = now_;
  mold->deadline = TimePoint::max();
  std::vector<log::Field> fields = {{"gen", mold->generation},
                                    {"load_ms", in_milliseconds(now_ - mold->started)}};
  if (!event.build.empty()) fields.push_back({"build", event.build});
  say(log::Level::info, "app loaded", std::move(fields));
}

void Supervisor::handle(const MoldLoadFailed& event) {
  Mold* mold = find_mold(event.generation);
  if (mold != nullptr && mold->why.empty()) mold->why = event.why;
}

void Supervisor::mold_exited(Mold& mold, const Exit& exit) {
  slots_.release_unforked(mold.generation);
  mold.reopens_pending = 0;
  if (mold.state == MoldState::leaving && !mold.killed) say_how_it_left(mold, mold.pid, exit);
  mold.complain_at = TimePoint::max();
  mold.pid = 0;
  const bool meant = mold.state == MoldState::leaving && phase_ != Phase::stopping;
  if (meant) {  // another generation has taken its place
    molds_.erase(mold.generation);
    return;
  }
  const bool loading = mold.state == MoldState::loading;
  std::vector<log::Field> fields;
  std::string why = mold.why;
  if (why.empty()) {
    why = std::string(loading ? "the mold ended while it loaded the app: " : "the mold ended: ") + exit.text;
    if (exit.signaled) fields.emplace_back("core", exit.core ? "yes" : "no");
  }
  mold_failed(mold, why, std::move(fields));
}

/// It was asked to: what it runs then is the app's destructor, of which nothing else tells.
void Supervisor::say_how_it_left(const Mold& mold, pid_t pid, const Exit& exit) {
  if (!exit.signaled && exit.code == 0) return;
  std::vector<log::Field> fields = {{"gen", mold.generation}, {"mold_pid", pid}};
  fields.emplace_back(exit.signaled ? "signal" : "exit_code", exit.signaled ? exit.text : std::to_string(exit.code));
  if (exit.signaled) fields.emplace_back("core", exit.core ? "yes" : "no");
  fields.emplace_back("hint", "the app's destructor, or those of its globals, ran then");
  say(log::Level::warning, "the mold died while it ended", std::move(fields));
}

/// All workers crash over and over, and what is on disk is something else by now: it can only be better.
void Supervisor::handle(const AppChanged& event) {
  if (event.generation != current_ || rollout_ || leaving() || !crash_looping()) return;
  say(log::Level::warning, "the app crashes over and over, and its library has changed on disk: loading it anew",
      {{"gen", newest_ + 1}});
  begin_reload("its new library");
}

/// Workers are never touched by this: they do not need the mold, only their successors do.
void Supervisor::mold_failed(Mold& mold, const std::string& why, std::vector<log::Field> fields) {
  if (phase_ == Phase::booting || phase_ == Phase::stopping) {
    mold.state = MoldState::absent;
    mold.deadline = TimePoint::max();
  }
  if (phase_ == Phase::stopping) return;
  if (mold.generation != current_) {
    mold.state = MoldState::absent;
    mold.deadline = TimePoint::max();
    if (rollout_ && rollout_->to == mold.generation) end_rollout(false, why);
    return;
  }
  fields.insert(fields.begin(), {{"gen", mold.generation}, {"why", why}});
  if (phase_ == Phase::booting) return fail_boot("the app failed to load", std::move(fields));
  const Clock::duration healthy_for =
      mold.loaded_at == TimePoint::max() ? Clock::duration::zero() : now_ - mold.loaded_at;
  const Duration delay = mold.backoff.crashed(settings_.restart, healthy_for, random_);
  mold.state = MoldState::cooling;
  mold.deadline = now_ + delay;
  const bool give_up = one_crash_too_many(healthy_for);
  fields.emplace_back("next", give_up ? "giving up" : restarting(delay));
  say(log::Level::error, "mold died", std::move(fields));
  if (give_up) begin_stop(exit_code::gave_up);
}
}  // namespace serval::supervisor
