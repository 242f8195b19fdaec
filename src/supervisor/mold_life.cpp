#include "supervisor/mold_life.hpp"

#include <utility>

#include "config/programs.hpp"
#include "supervisor/backoff.hpp"
#include "supervisor/mold_steps.hpp"

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

void MoldLife::on(const MoldStarted& event, const Turn& turn) {
  Mold* mold = turn.world.find_mold(event.generation);
  if (mold == nullptr || mold->pid != 0) return;
  mold->pid = event.pid;
  if (turn.phase() == Phase::stopping || mold->state == MoldState::leaving) kill_mold(*mold, turn);
}

Consequence MoldLife::on(const MoldNotStarted& event, const Turn& turn) {
  Mold* mold = turn.world.find_mold(event.generation);
  if (mold == nullptr || mold->state != MoldState::loading) return {};
  return failed(*mold, event.why, {}, turn);
}

namespace {

Consequence look_for_tasks(const Mold& mold, const Turn& turn) {
  using Kind = Consequence::Kind;
  const std::string why = config::why_tasks_missing(turn.world.settings_of(mold.generation).programs, mold.tasks);
  if (why.empty()) return {};
  const std::vector<log::Field> fields = {{"gen", mold.generation}, {"why", why}};
  if (turn.phase() == Phase::booting) return {Kind::boot_failed, "the app lacks a task", fields};
  if (turn.world.rollout && turn.world.rollout->to == mold.generation) return {Kind::rollout_failed, why};
  turn.say(log::Level::error, "the app lacks a task", fields);
  return {};
}

}  // namespace

Consequence MoldLife::on(const MoldLoaded& event, const Turn& turn) {
  Mold* mold = turn.world.find_mold(event.generation);
  if (mold == nullptr || mold->state != MoldState::loading) return {};
  mold->state = MoldState::ready;
  mold->loaded_at = turn.now;
  mold->deadline = TimePoint::max();
  mold->tasks = event.tasks;
  std::vector<log::Field> fields = {{"gen", mold->generation}, {"load_ms", in_milliseconds(turn.now - mold->started)}};
  if (!event.build.empty()) fields.push_back({"build", event.build});
  turn.say(log::Level::info, "app loaded", std::move(fields));
  return look_for_tasks(*mold, turn);
}

void MoldLife::on(const MoldLoadFailed& event, const Turn& turn) {
  Mold* mold = turn.world.find_mold(event.generation);
  if (mold != nullptr && mold->why.empty()) mold->why = event.why;
}

/// It serves no requests, and the next one is told everything.
void MoldLife::on(const MoldDeaf& event, const Turn& turn) {
  Mold* mold = turn.world.find_mold(event.generation);
  if (mold == nullptr || mold->killed || mold->state != MoldState::ready) return;
  if (mold->why.empty()) mold->why = "it does not take messages";
  kill_mold(*mold, turn);
}

namespace {

/// It was asked to: what it runs then is the app's destructor, of which nothing else tells.
void say_how_it_left(const Mold& mold, const Exit& exit, const Turn& turn) {
  if (!exit.signaled && exit.code == 0) return;
  std::vector<log::Field> fields = {{"gen", mold.generation}, {"mold_pid", mold.pid}};
  fields.emplace_back(exit.signaled ? "signal" : "exit_code", exit.signaled ? exit.text : std::to_string(exit.code));
  if (exit.signaled) fields.emplace_back("core", exit.core ? "yes" : "no");
  fields.emplace_back("hint", "the app's destructor, or those of its globals, ran then");
  turn.say(log::Level::warning, "the mold died while it ended", std::move(fields));
}

}  // namespace

Consequence MoldLife::on_exit(Mold& mold, const Exit& exit, const Turn& turn) {
  turn.slots.release_unforked(mold.generation);
  mold.reopens_pending = 0;
  if (mold.state == MoldState::leaving && !mold.killed) say_how_it_left(mold, exit, turn);
  mold.complain_at = TimePoint::max();
  mold.pid = 0;
  const bool meant = mold.state == MoldState::leaving && turn.phase() != Phase::stopping;
  if (meant) {  // another generation has taken its place
    turn.molds.erase(mold.generation);
    return {};
  }
  const bool loading = mold.state == MoldState::loading;
  std::vector<log::Field> fields;
  std::string why = mold.why;
  if (why.empty()) {
    why = std::string(loading ? "the mold ended while it loaded the app: " : "the mold ended: ") + exit.text;
    if (exit.signaled) fields.emplace_back("core", exit.core ? "yes" : "no");
  }
  return failed(mold, why, std::move(fields), turn);
}

Consequence MoldLife::failed(Mold& mold, const std::string& why, std::vector<log::Field> fields, const Turn& turn) {
  using Kind = Consequence::Kind;
  if (turn.phase() == Phase::booting || turn.phase() == Phase::stopping || mold.generation != turn.world.current) {
    mold.state = MoldState::absent;
    mold.deadline = TimePoint::max();
  }
  if (turn.phase() == Phase::stopping) return {};
  if (mold.generation != turn.world.current) {
    const bool of_rollout = turn.world.rollout && turn.world.rollout->to == mold.generation;
    return of_rollout ? Consequence{Kind::rollout_failed, why} : Consequence{};
  }
  fields.insert(fields.begin(), {{"gen", mold.generation}, {"why", why}});
  if (turn.phase() == Phase::booting) return {Kind::boot_failed, "the app failed to load", std::move(fields)};
  const Clock::duration healthy_for =
      mold.loaded_at == TimePoint::max() ? Clock::duration::zero() : turn.now - mold.loaded_at;
  const Duration delay = mold.backoff.crashed(turn.settings.restart, healthy_for, turn.world.random);
  mold.state = MoldState::cooling;
  mold.deadline = turn.now + delay;
  const bool give_up = crashes_.add(healthy_for, turn);
  fields.emplace_back("next", give_up ? "giving up" : restarting_in(delay));
  turn.say(log::Level::error, "mold died", std::move(fields));
  return give_up ? Consequence{Kind::give_up} : Consequence{};
}

void MoldLife::retire_unneeded(const Turn& turn) {
  for (auto at = turn.molds.begin(); at != turn.molds.end();) {
    Mold& mold = at->second;
    const bool unneeded = !turn.world.is_needed(mold);
    if (unneeded) stop_mold(mold, turn);
    at = unneeded && mold.state == MoldState::absent ? turn.molds.erase(at) : std::next(at);
  }
}

}  // namespace serval::supervisor
