#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/exit_code.hpp"

namespace serval::supervisor {

namespace {

Duration milliseconds(Clock::duration span) { return std::chrono::duration_cast<Duration>(span); }

/// A process group that is signalled, by Ctrl-C or a service manager, has workers that leave or die before the master has
/// heard of its own signal. So long a worker that was signalled gets no successor: it would be one for the stop to end.
constexpr auto kGroupSignal = std::chrono::milliseconds(100);
/// A boot of all workers, and one replacement of each, is never slowed down; only what goes on after that.
/// Up to so many workers each has its own lines when all start, are replaced by a reload, or stop. In a larger fleet they are for debugging.
constexpr int kFewWorkers = 10;

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
  forgive_if_we_slept();
  std::visit([this](const auto& what) { handle(what); }, event);
  enforce_deadlines();
  if (phase_ == Phase::running) {
    carry_on_rollout();
    retire_the_aged();
    begin_replacements();
    retire_replaced();
    begin_replacements();  // whose turn has come by that
    retire_surplus();
    close_ranks();
    lose_patience_at_door();
    tell_of_rollout();
    end_rollout_if_over();
    outage_.settle(turn());
  }
  start_what_is_missing();
  look_if_due();
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
  TimePoint next = std::min({waits_for_turn_, fold_.next(), traffic_.next(), upgrade_.next(), notices_.next(), leaves_at_});
  if (phase_ == Phase::running) next = std::min(next, outage_.next());
  if (forks_held_until_ > now_) next = std::min(next, forks_held_until_);
  next = std::min(next, probation_over());
  for (const auto& [generation, mold] : molds_) next = std::min({next, mold.deadline, mold.complain_at});
  if (!looking_) next = std::min(next, next_look());
  bool waits_for_token = missing_workers() > 0;
  for (const Slot& slot : slots_) {
    const bool cooled = slot.state() == SlotState::cooling && slot.deadline() <= now_;
    if (cooled) waits_for_token = true;
    if (!cooled) next = std::min(next, slot.deadline());
    if (slot.serving()) next = std::min(next, slot.expires());
    if (slot.at_door() && phase_ == Phase::running) next = std::min(next, slot.door_deadline());
  }
  if (waits_for_token && forks_held_until_ <= now_ && mold().state == MoldState::ready) next = std::min(next, forks_.available_at(now_));
  return next;
}

Snapshot Supervisor::snapshot() const {
  Snapshot result;
  for (const Slot& slot : slots_) {
    result.workers.push_back({slot.number(), slot.index(), slot.generation(), slot.pid(), slot.state(), slot.cause(), slot.at_door(), slot.watched.heart.hangs(now_),
                              slot.started(), slot.deadline(), slot.backoff.crashes_in_a_row()});
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
  result.not_ready_reason = not_ready_reason();
  result.ended = ended_;
  return result;
}

/// What status, readiness probes and the service manager are told; empty: ready. Few workers are better than none: only a server
/// that cannot or will not serve at all is not ready.
std::string Supervisor::not_ready_reason() const {
  if (leaving() || phase_ == Phase::stopping || phase_ == Phase::finished) return "stopping";
  if (!complete_) return "booting";
  if (std::string reason = traffic_.not_ready_reason(); !reason.empty()) return reason;
  return slots_.any([](const Slot& slot) { return slot.serving(); }) ? "" : "no worker serves";
}

void Supervisor::handle(const Start&) {
  begun_ = now_;
  start_mold(mold());
}

// --- filling the slots

int Supervisor::missing_workers() const {
  if (phase_ == Phase::stopping || phase_ == Phase::finished) return 0;
  int missing = settings_.workers + (rollout_ && rollout_->canary >= 0 ? 1 : 0);
  for (const Slot& slot : slots_) {
    if (slot.active()) --missing;
    if (slot.being_replaced()) ++missing;  // its successor
  }
  return missing;
}

void Supervisor::start_what_is_missing() {
  if (phase_ == Phase::stopping || mold().state != MoldState::ready || forks_held_until_ > now_) return;
  for (Slot& slot : slots_) {
    if (slot.state() == SlotState::cooling && slot.deadline() <= now_ && !start_worker(slot)) return;
  }
  for (int missing = missing_workers(); missing > 0; --missing) {
    Slot* slot = spare_slot();
    if (slot == nullptr || !start_worker(*slot)) return;
  }
}

/// Nobody who could be harmed by new code: whoever runs has crashed over and over.
bool Supervisor::crash_looping() const {
  const auto crashed_often = [](const Slot& slot) { return slot.backoff.crashes_in_a_row() >= 2; };
  return phase_ == Phase::running && slots_.any(crashed_often) &&
         std::all_of(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.state() == SlotState::empty || crashed_often(slot); });
}

/// False if it has to wait for the next token.
bool Supervisor::start_worker(Slot& slot) {
  if (!forks_.take(now_)) return false;
  if (crash_looping()) act(InspectApp{current_});
  fork_from(mold(), slot, after(settings_.limits.boot_timeout));
  return true;
}

void Supervisor::fork_from(Mold& mold, Slot& slot, TimePoint deadline) {
  slot.start(mold.generation, slots_.number_for(slot, mold.generation, settings_.workers), now_, deadline);
  ranks_are_open_ = ranks_are_open_ || slot.number() >= settings_.workers;
  slot.pause_in(traffic_.pause());
  const std::int64_t max_requests = settings_.limits.max_requests;
  act(ForkWorker{.slot = slot.index(),
                 .number = slot.number(),
                 .generation = mold.generation,
                 .max_requests = max_requests == 0 ? 0 : max_requests + up_to(settings_.limits.max_requests_jitter),
                 .pause = traffic_.pause()});
}

void Supervisor::handle(const WorkerForked& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || !slot->forking()) return;
  slot->forked(event.pid);
  if (slot->state() == SlotState::killing) act(Kill{event.pid, SIGKILL});
  if (slot->state() == SlotState::serving) announce(*slot);
}

void Supervisor::handle(const ForkFailed& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || !slot->forking()) return;
  if (slot->state() != SlotState::starting) {
    slot->clear();
    return;
  }
  slot->explain(event.why);
  worker_failed(*slot, Cause::boot_failed, event.why, {{"slot", slot->number()}});
}

void Supervisor::handle(const WorkerReady& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr) return;
  if (slot->state() == SlotState::draining && slot->boots()) return slot->ready_after_all(now_, now_ + settings_.grace);
  if (slot->state() != SlotState::starting) return;
  slot->ready(now_);
  slot->watched.heart.start(now_, settings_.limits.heartbeat_timeout);
  const Duration lifetime = settings_.limits.max_lifetime;
  if (lifetime > Duration::zero()) slot->expire_at(now_ + lifetime + Duration(up_to(settings_.limits.max_lifetime_jitter.count())));
  if (phase_ == Phase::booting) phase_ = Phase::running;
  if (!slot->forking()) announce(*slot);  // else it was faster than the mold, which says its pid next
}

void Supervisor::announce(const Slot& slot) {
  const Duration boot = milliseconds(slot.ready_at() - slot.started());
  const bool one_of_all = !complete_ || belongs_to_rollout(slot);
  say(one_of_all ? routine() : log::Level::info, "worker ready", {{"slot", slot.number()}, {"worker_pid", slot.pid()}, {"boot_ms", boot}});
  announce_if_complete();
}

/// Of lines about each single worker, when all of them do the same.
log::Level Supervisor::routine() const { return settings_.workers > kFewWorkers ? log::Level::debug : log::Level::info; }

void Supervisor::announce_if_complete() {
  if (complete_ || phase_ != Phase::running) return;
  const auto serving = slots_.count([](const Slot& slot) { return slot.state() == SlotState::serving && !slot.forking(); });
  if (serving < settings_.workers) return;
  complete_ = true;
  say(log::Level::info, "serving", {{"workers", settings_.workers}, {"boot_ms", milliseconds(now_ - begun_)}});
  notify_ready();
}

void Supervisor::handle(const WorkerBootFailed& event) {
  if (Slot* slot = slots_.find(event.slot)) slot->explain(event.why);
}

void Supervisor::handle(const WorkerLeaving& event) {
  Slot* slot = slots_.find(event.slot);
  if (slot == nullptr || (slot->state() != SlotState::starting && slot->state() != SlotState::serving)) return;
  say(log::Level::info, "worker leaves, it was told to by a signal; its successor starts", {{"slot", slot->number()}, {"worker_pid", slot->pid()}});
  slot->retire(Cause::manual, now_, now_ + settings_.grace);
  // Once for all that follow: workers that leave one after another must not put it off for ever.
  if (!leaving() && forks_held_until_ <= now_) forks_held_until_ = now_ + kGroupSignal;
}

// --- the end of a worker

void Supervisor::handle(const ChildExited& event) {
  const auto mold = std::find_if(molds_.begin(), molds_.end(), [&event](const auto& entry) { return entry.second.pid == event.pid; });
  if (mold != molds_.end()) {
    mold_exited(mold->second, event.exit);
  } else if (Slot* slot = slots_.find_pid(event.pid)) {
    worker_exited(*slot, event.exit);
  }
}

namespace {

void append_exit(std::vector<log::Field>& fields, const Exit& exit) {
  if (exit.signaled) {
    fields.emplace_back("signal", exit.text);
    fields.emplace_back("core", exit.core ? "yes" : "no");
  } else {
    fields.emplace_back("exit_code", exit.code);
  }
  if (!exit.requests.empty()) fields.emplace_back("requests_lost", exit.requests.size());
  if (exit.waiting > 0) fields.emplace_back("waiting_lost", exit.waiting);
  if (exit.connections > 0) fields.emplace_back("connections_lost", exit.connections);
}

constexpr std::string_view kKilledFromOutside = "somebody else killed it";
constexpr std::string_view kOutOfMemory = "the kernel killed it for want of memory";

/// Of an end that the kernel brought about for want of memory; else none.
Cause kernels_cause(const Exit& exit) {
  if (!exit.signaled || exit.code != SIGKILL) return Cause::none;
  if (exit.above_hard) return Cause::memory_hard;
  return exit.oom ? Cause::oom : Cause::none;
}

/// Of a worker that was asked to leave, and ended by something else before it was done; else none.
Cause harder_end(const Slot& slot, const Exit& exit) {
  if (slot.state() != SlotState::draining) return Cause::none;
  if (const Cause cause = kernels_cause(exit); cause != Cause::none) return cause;
  if (exit.signaled || exit.code != 0) return Cause::crash;
  return exit.requests.empty() ? Cause::none : Cause::grace_over;  // it has cut them itself, a little before we would have
}

}  // namespace

void Supervisor::worker_exited(Slot& slot, const Exit& exit) {
  std::vector<log::Field> fields = {{"slot", slot.number()},
                                    {"worker_pid", slot.pid()},
                                    {"age_ms", milliseconds(now_ - slot.started())}};
  append_exit(fields, exit);
  for (const LostRequest& request : exit.requests) {
    say(log::Level::warning, "request lost with its worker", {{"slot", slot.number()}, {"worker_pid", slot.pid()}, {"method", request.method},
                                                              {"target", request.target}, {"request_id", request.request_id}, {"age_ms", request.age}});
  }
  if (const Cause harder = harder_end(slot, exit); harder != Cause::none) slot.end_by(harder);
  switch (slot.state()) {
    case SlotState::draining:
    case SlotState::killing:
      if (slot.cause() == Cause::boot_failed && phase_ != Phase::stopping) return worker_failed(slot, Cause::boot_failed, exit.text, std::move(fields));
      return worker_retired(slot, exit, std::move(fields));
    case SlotState::starting:
      if (const Cause cause = kernels_cause(exit); cause != Cause::none) {
        slot.explain(std::string(kOutOfMemory));
        return worker_failed(slot, cause, exit.text, std::move(fields));
      }
      if (slot.why().empty()) slot.explain("it ended before it was ready: " + exit.text);
      return worker_failed(slot, Cause::boot_failed, exit.text, std::move(fields));
    case SlotState::serving:
      if (const Cause cause = kernels_cause(exit); cause != Cause::none) {
        slot.explain(std::string(kOutOfMemory));
        return worker_failed(slot, cause, exit.text, std::move(fields));
      }
      if (exit.signaled && exit.code == SIGKILL) slot.explain(std::string(kKilledFromOutside));
      return worker_failed(slot, Cause::crash, exit.text, std::move(fields));
    case SlotState::empty:
    case SlotState::cooling: break;
  }
  SERVAL_CHECK(false && "a worker exits from a slot that holds one");
}

/// It was meant to end.
void Supervisor::worker_retired(Slot& slot, const Exit& exit, std::vector<log::Field> fields) {
  const bool as_meant = slot.state() == SlotState::killing || (!exit.signaled && exit.code == 0);
  const bool all_answered = exit.requests.empty() && as_meant;
  fields.emplace_back("cause", name_of(slot.cause()));
  if (slot.first_cause() != Cause::none) fields.emplace_back("first_cause", name_of(slot.first_cause()));
  if (kernels_cause(exit) != Cause::none && slot.state() == SlotState::draining) fields.emplace_back("why", kOutOfMemory);
  if (phase_ == Phase::running && slot.cause() != Cause::scale && slot.first_cause() != Cause::scale) {
    fields.emplace_back("next", missing_workers() > 0 ? "its successor starts" : "its successor is there");
  }
  const bool one_of_all = slot.cause() == Cause::reload || slot.cause() == Cause::stop;
  const log::Level usual = one_of_all ? routine() : log::Level::info;
  say(all_answered ? usual : log::Level::warning, as_meant ? "worker stopped" : "worker died while it drained", std::move(fields));
  ++ended_[slot.cause()];
  slot.clear();
  slot.backoff.forget();
}

/// It was not: says so, with what happens next. Before the first worker is ready these are warnings, since either another one becomes
/// ready, or fail_boot has the last word.
void Supervisor::worker_failed(Slot& slot, Cause cause, const std::string& how, std::vector<log::Field> fields) {
  ++ended_[cause];
  const bool of_rollout = belongs_to_rollout(slot);
  if (of_rollout && slot.index() == rollout_->canary) {
    const std::string last_words = slot.why().empty() ? "its first worker died: " + how : slot.why();
    fields.emplace_back("cause", name_of(cause));
    fields.emplace_back("next", "the reload has failed");
    slot.clear();
    say(log::Level::warning, "worker died", std::move(fields));
    return end_rollout(false, last_words);
  }
  const Clock::duration healthy_for = slot.healthy_for(now_);
  const Duration delay = slot.backoff.crashed(settings_.restart, healthy_for, random_);
  const bool booting = phase_ == Phase::booting;
  const bool killed_from_outside = slot.why() == kKilledFromOutside;
  const std::string why = slot.why();
  fields.emplace_back("cause", name_of(cause));
  if (!why.empty()) fields.emplace_back("why", why);
  slot.cool(now_ + delay);
  const bool give_up = one_crash_too_many(healthy_for);
  fields.emplace_back("next", give_up ? "giving up" : restarting(delay));
  say(booting ? log::Level::warning : log::Level::error, "worker died", std::move(fields));
  // Nobody else's kill, which says nothing about the code.
  if (of_rollout && (cause == Cause::boot_failed || (cause == Cause::crash && !killed_from_outside))) {
    return roll_back(why.empty() ? "its workers die" : why);
  }
  if (give_up) return begin_stop(exit_code::gave_up);
  const auto tried = [this](const Slot& other) { return other.index() >= settings_.workers || other.backoff.crashes_in_a_row() > 0; };
  if (booting && std::all_of(slots_.begin(), slots_.end(), tried)) fail_boot("the app did not boot in any worker", {{"why", why}});
}

std::string Supervisor::restarting(Duration delay) {
  return delay == Duration::zero() ? "restarting at once" : "restarting in " + std::to_string(delay.count()) + "ms";
}

// --- small things

std::int64_t Supervisor::up_to(std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random_); }

TimePoint Supervisor::after(Duration limit) const { return limit == Duration::zero() ? TimePoint::max() : now_ + limit; }
}  // namespace serval::supervisor
