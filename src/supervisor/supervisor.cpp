#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/exit_code.hpp"

namespace serval::supervisor {

namespace {

/// A boot of all workers, and one replacement of each, is never slowed down; only what goes on after that.
int fork_burst(const Settings& settings) { return 2 * settings.workers + settings.forks_per_second; }

}  // namespace

Supervisor::Supervisor(Settings settings)
    : settings_(std::move(settings)),
      random_(settings_.seed),
      forks_(fork_burst(settings_), settings_.forks_per_second),
      turns_(settings_.limits.max_recycling, std::max(1, settings_.forks_per_second / 2)),
      fold_(fork_burst(settings_)),
      notices_(settings_.notified, settings_.watchdog) {
  for (int i = 0; i < settings_.workers; ++i) slots_.add();
  molds_[current_].generation = current_;
}

std::vector<Action> Supervisor::on(const Event& event, TimePoint now) {
  if (phase_ == Phase::finished) return {};
  now_ = now;
  Watch::forgive_if_we_slept(wakeup_, turn());
  std::visit([this](const auto& what) { handle(what); }, event);
  enforce_deadlines();
  if (phase_ == Phase::running) {
    carry_on_rollout();
    retire_the_aged();
    begin_replacements();
    retire_replaced();
    begin_replacements();  // those whose turn has come by that
    retire_surplus();
    close_ranks();
    give_up_waiting_at_door();
    tell_of_rollout();
    end_rollout_if_over();
    outage_.settle(turn());
  }
  start_what_is_missing();
  watch_.settle(turn());
  log_reopening_.settle(turn());
  traffic_.settle(turn());
  upgrade_.settle(why_not_calm(), turn());
  for (Log& line : fold_.due(now_)) act(std::move(line));
  send_notices();
  finish_if_done();
  wakeup_ = find_next_wakeup();
  return std::exchange(actions_, {});
}

TimePoint Supervisor::find_next_wakeup() const {
  if (phase_ == Phase::finished) return TimePoint::max();
  TimePoint next =
      std::min({waits_for_turn_, fold_.next(), traffic_.next(), upgrade_.next(), notices_.next(), leaves_at_});
  if (phase_ == Phase::running) next = std::min(next, outage_.next());
  if (forks_held_until_ > now_) next = std::min(next, forks_held_until_);
  next = std::min(next, probation_over());
  for (const auto& [generation, mold] : molds_) next = std::min({next, mold.deadline, mold.complain_at});
  next = std::min(next, watch_.next(settings_, slots_));
  bool waits_for_token = missing_workers() > 0;
  for (const Slot& slot : slots_) {
    const bool cooled = slot.state() == SlotState::cooling && slot.deadline() <= now_;
    if (cooled) waits_for_token = true;
    if (!cooled) next = std::min(next, slot.deadline());
    if (slot.serving()) next = std::min(next, slot.expires());
    if (slot.at_door() && phase_ == Phase::running) next = std::min(next, slot.door_deadline());
  }
  if (waits_for_token && forks_held_until_ <= now_ && mold().state == MoldState::ready)
    next = std::min(next, forks_.available_at(now_));
  return next;
}

Snapshot Supervisor::snapshot() const {
  Snapshot result;
  for (const Slot& slot : slots_) {
    result.workers.push_back({slot.number(), slot.index(), slot.generation(), slot.pid(), slot.state(), slot.cause(),
                              slot.at_door(), slot.watched.heart.hangs(now_), slot.started(), slot.deadline(),
                              slot.backoff.crashes_in_a_row()});
  }
  result.generation = current_;
  result.mold = mold().state;
  result.mold_pid = mold().pid;
  result.wanted = settings_.workers;
  result.booting = phase_ == Phase::booting;
  result.stopping = leaving() || phase_ == Phase::stopping || phase_ == Phase::finished;
  result.reopening = log_reopening_.under_way();
  result.paused = traffic_.pause() != 0;
  result.in_progress = traffic_.in_progress(slots_);
  result.readiness = readiness();
  result.ended = ended_;
  return result;
}

Readiness Supervisor::readiness() const {
  Readiness server;
  server.stopping = leaving() || phase_ == Phase::stopping || phase_ == Phase::finished;
  server.booting = !complete_;
  server.draining = traffic_.drained();
  server.paused = traffic_.pause() != 0;
  server.serving = static_cast<int>(slots_.count([](const Slot& slot) { return slot.serving(); }));
  return server;
}

void Supervisor::handle(const Start&) {
  begun_ = now_;
  start_mold(mold());
}

std::int64_t Supervisor::up_to(std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(0, most)(random_);
}

TimePoint Supervisor::after(Duration limit) const {
  return limit == Duration::zero() ? TimePoint::max() : now_ + limit;
}
}  // namespace serval::supervisor
