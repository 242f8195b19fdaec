#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "supervisor/supervisor.hpp"
#include "supervisor/worker_steps.hpp"

// A reload: the next generation loads and boots one worker beside all that serve; then the others follow, each ahead of
// the one it replaces. What fails before that leaves the old generation as it was; what dies during it brings the old
// one back.
namespace serval::supervisor {
namespace {

/// Limit of those that live at a time, with the one that loads. A worker that drains may take all of its grace, and
/// reloads may follow one another faster than that.
constexpr std::size_t kMostGenerations = 8;

}  // namespace

void Supervisor::handle(const ReloadRequested& event) {
  if (const std::string why = turn().why_not_running(); !why.empty()) return act(ReloadEnded{current_, false, why});
  if (rollout_) {
    reload_again_ = event.by;  // what is under way may have read the files before they were as they are now
    return say(log::Level::info, "reload asked for while one is under way, it follows", {{"by", event.by}});
  }
  begin_reload(event.by, event.settings);
}

/// Nothing has changed, and it has been said why.
void Supervisor::handle(const ReloadRefused& event) {
  if (!turn().why_not_running().empty()) return;
  reload_failure_ = event.why;
  notify_reloading();
  notify_ready();
}

void Supervisor::begin_reload(const std::string& by, std::optional<Settings> settings) {
  rollout_ = Rollout{.from = current_, .to = ++newest_, .begun = now_, .settings = std::move(settings)};
  say(log::Level::info, "reloading", {{"from_gen", rollout_->from}, {"to_gen", rollout_->to}, {"by", by}});
  notify_reloading();
  make_room_for_a_generation();
  Mold& mold = molds_[rollout_->to];
  mold.generation = rollout_->to;
  start_mold(mold);
}

void Supervisor::make_room_for_a_generation() {
  std::map<int, std::vector<Slot*>> living;
  for (Slot& slot : slots_) {
    if (slot.occupied()) living[slot.generation()].push_back(&slot);
  }
  while (living.size() >= kMostGenerations && living.begin()->first != current_) {
    const auto [generation, workers] = *living.begin();
    say(log::Level::warning, "too many generations live, the oldest one is cut off",
        {{"gen", generation}, {"workers", workers.size()}, {"most", kMostGenerations}});
    for (Slot* slot : workers) {
      if (slot->state() == SlotState::draining) kill_worker(*slot, slot->cause(), turn());
    }
    living.erase(living.begin());
  }
}

/// What the last event has made possible.
void Supervisor::carry_on_rollout() {
  if (rollout_ && rollout_->step == Rollout::Step::loading && molds_.at(rollout_->to).state == MoldState::ready)
    start_canary();
  if (rollout_ && rollout_->step == Rollout::Step::canary) look_at_canary();
  for (Slot& slot : slots_) {
    if (slot.serving() && slot.generation() != current_ && !is_canary(slot)) make_due(slot, Cause::reload, turn());
  }
}

/// Where workers have no lines of their own (routine()), a reload still shows that it goes on.
void Supervisor::tell_of_rollout() {
  if (!rollout_ || rollout_->step != Rollout::Step::rolling || routine() == log::Level::info) return;
  const auto replaced = slots_.count([this](const Slot& slot) { return slot.serving() && belongs_to_rollout(slot); });
  const int quarters = static_cast<int>(4 * replaced / settings_.workers);
  if (quarters <= rollout_->quarters_said || quarters >= 4) return;
  rollout_->quarters_said = quarters;
  say(log::Level::info, "reload goes on", {{"gen", current_}, {"serving", replaced}, {"of", settings_.workers}});
}

void Supervisor::end_rollout_if_over() {
  if (rollout_ && rollout_->step == Rollout::Step::rolling && rollout_is_over()) end_rollout(true, "");
  retire_molds();
}

void Supervisor::look_at_canary() {
  switch (slots_[rollout_->canary].state()) {
    case SlotState::serving: return on_probation(slots_[rollout_->canary]) ? void() : roll_out();
    case SlotState::starting:
    case SlotState::killing: return;
    case SlotState::draining:
    case SlotState::empty:
    case SlotState::cooling: return end_rollout(false, "its first worker left");
  }
}

void Supervisor::start_canary() {
  Slot* slot = spare_slot();
  if (slot == nullptr) return;  // until a worker ends
  rollout_->step = Rollout::Step::canary;
  rollout_->canary = slot->index();
  fork_from(molds_.at(rollout_->to), *slot, after(settings_.reload.ready_timeout));
}

void Supervisor::roll_out() {
  rollout_->step = Rollout::Step::rolling;
  rollout_->canary = -1;
  current_ = rollout_->to;
  if (rollout_->settings) {
    const int workers = std::exchange(settings_, *rollout_->settings).workers;
    if (settings_.workers == 0) settings_.workers = workers;
    ranks_are_open_ = true;
  }
  for (Slot& slot : slots_) slot.backoff.forget();  // other code
  say(log::Level::info, "first worker of the new generation serves, the others follow", {{"gen", current_}});
}

/// The last one that listens where the new generation does not: it still answers what waits there, so no new connection
/// may come once it drains.
void Supervisor::retire_listeners_before(const Slot& last) {
  const auto old_one = [this](const Slot& slot) {
    return slot.generation() != current_ && (slot.serving() || slot.state() == SlotState::starting);
  };
  if (rollout_->step != Rollout::Step::rolling || rollout_->listeners_retired || !old_one(last)) return;
  if (slots_.count(old_one) > 1) return;
  rollout_->listeners_retired = true;
  act(RetireListeners{});
}

bool Supervisor::on_probation(const Slot& slot) const {
  return belongs_to_rollout(slot) && slot.serving() && slot.healthy_for(now_) < settings_.probation;
}

/// The last one of the old generation stays until all of the new one have proved themselves: with it goes the way back.
bool Supervisor::may_retire(const Slot& slot) const {
  if (!rollout_ || slot.generation() == rollout_->to) return true;
  const auto old_one = [this](const Slot& other) { return other.serving() && other.generation() != rollout_->to; };
  const auto proves_itself = [this](const Slot& other) { return on_probation(other); };
  return slots_.count(old_one) > 1 || std::none_of(slots_.begin(), slots_.end(), proves_itself);
}

/// When the next one has proved itself; max(): there is none.
TimePoint Supervisor::probation_over() const {
  TimePoint next = TimePoint::max();
  if (!rollout_) return next;
  for (const Slot& slot : slots_) {
    if (on_probation(slot)) next = std::min(next, slot.ready_at() + settings_.probation);
  }
  return next;
}

/// No worker of an older generation serves, or accepts requests while it leaves.
bool Supervisor::rollout_is_over() const {
  int serving = 0;
  for (const Slot& slot : slots_) {
    const bool old_one =
        slot.generation() != current_ && (slot.serving() || slot.state() == SlotState::starting || slot.at_door());
    if (old_one) return false;
    if (slot.serving()) ++serving;
  }
  return serving >= settings_.workers;
}

void Supervisor::end_rollout(bool good, const std::string& why) {
  const Rollout rollout = *rollout_;
  rollout_.reset();
  reload_failure_ = why;
  const Duration took = in_milliseconds(now_ - rollout.begun);
  if (good && !rollout.listeners_retired) act(RetireListeners{});
  if (good) {
    say(log::Level::info, "reloaded", {{"gen", current_}, {"took_ms", took}});
  } else {
    say(log::Level::error, "reload failed, the old generation goes on",
        {{"gen", current_}, {"why", why}, {"took_ms", took}});
  }
  notify_ready();
  if (rollout.canary >= 0) {
    Slot& canary = slots_[rollout.canary];
    if (canary.occupied() && canary.state() != SlotState::killing) kill_worker(canary, Cause::reload, turn());
  }
  act(ReloadEnded{current_, good, why});
  if (const auto by = std::exchange(reload_again_, std::nullopt)) act(ReloadAgain{*by});
}

/// Molds that are not needed any more; one that forks just now goes when that is done.
void Supervisor::retire_molds() {
  for (auto at = molds_.begin(); at != molds_.end();) {
    Mold& mold = at->second;
    const bool unneeded = !is_needed(mold);
    if (unneeded) stop_mold(mold);
    at = unneeded && mold.state == MoldState::absent ? molds_.erase(at) : std::next(at);
  }
}

/// The new generation's workers are replaced by ones of the old, if that can still fork.
void Supervisor::roll_back(const std::string& why) {
  const Mold* old = find_mold(rollout_->from);
  if (old == nullptr || old->state != MoldState::ready) {
    return say(log::Level::error,
               "the new generation's workers die, and the old one cannot fork any more: going on with the new one",
               {{"why", why}});
  }
  current_ = rollout_->from;
  for (Slot& slot : slots_) {
    if (slot.serving() && slot.generation() == current_ && slot.cause() == Cause::reload) slot.keep();
    if (slot.state() == SlotState::cooling) slot.cool(now_);
  }
  end_rollout(false, why);
}

}  // namespace serval::supervisor
