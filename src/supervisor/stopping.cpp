#include <algorithm>
#include <csignal>
#include <utility>

#include "base/exit_code.hpp"
#include "base/units.hpp"
#include "supervisor/supervisor.hpp"
#include "supervisor/worker_steps.hpp"

// Ends of all kinds: a stop that was asked for, boots that fail, deadlines that pass.
namespace serval::supervisor {
namespace {

/// timeout(1) signals its child, then the child's process group; npm, make and foreman pass on what the terminal has
/// sent to all of them already. What comes so soon after the first one is no second request.
constexpr auto kSameSignal = std::chrono::seconds(1);
/// After it, a mold that was asked to end takes long; earlier where the grace is short.
constexpr auto kMoldPatience = std::chrono::seconds(5);
/// In a stop: for the word of a worker that has just become ready. One that says nothing is busy in worker_start, and
/// has no client.
constexpr auto kBootPatience = std::chrono::seconds(1);

constexpr std::string_view kNextOfStop = "again, or serval stop --now, to stop at once";
constexpr std::string_view kNextOfDelay = "serving on, but not ready; again, or serval stop --now, to stop at once";

}  // namespace

StopEffect Supervisor::effect_of(const StopRequested& event, TimePoint now) const {
  if (killing_all_) return StopEffect::nothing;
  if (event.now) return StopEffect::at_once;
  if (phase_ != Phase::stopping && !leaving()) return StopEffect::graceful;
  const bool repeated = now < stop_asked_ + kSameSignal;
  const bool first = stop_asked_ == TimePoint::min();  // it stops by itself
  return first || repeated ? StopEffect::nothing : StopEffect::at_once;
}

void Supervisor::handle(const StopRequested& event) {
  const StopEffect effect = effect_of(event, now_);
  if (now_ >= stop_asked_ + kSameSignal) stop_asked_ = now_;
  if (phase_ != Phase::stopping && !leaving()) {
    const bool delay = phase_ == Phase::running && settings_.delay > Duration::zero() && !event.now;
    std::vector<log::Field> fields = {{"signal", event.signal}};
    if (delay) fields.emplace_back("delay_ms", settings_.delay);
    if (!event.now) {
      const Duration longest = settings_.grace + (delay ? settings_.delay : Duration::zero());
      fields.insert(fields.end(), {{"requests", event.requests},
                                   {"at_most", format_duration(longest)},
                                   {"next", delay ? kNextOfDelay : kNextOfStop}});
    }
    say(log::Level::info, "stopping", std::move(fields));
    delay ? leave() : begin_stop(exit_code::ok);
  }
  if (effect != StopEffect::at_once) return;
  say(log::Level::warning, event.now ? "stopping at once" : "stopping at once: second signal",
      {{"signal", event.signal}});
  if (leaving()) begin_stop(exit_code::ok);
  kill_everything(Cause::stop);
}

/// Everything goes on as it is, only that no new traffic should be sent here.
void Supervisor::leave() {
  leaves_at_ = now_ + settings_.delay;
  traffic_.resume("the stop", turn());
  notify("STOPPING=1");
}

void Supervisor::begin_stop(int exit_code) {
  const bool said = leaving();
  phase_ = Phase::stopping;
  exit_code_ = said ? exit_code::ok : exit_code;  // it was asked for
  leaves_at_ = TimePoint::max();
  if (!said) notify("STOPPING=1");
  act(RefuseConnections{});
  traffic_.resume("the stop", turn());  // what waits is answered before the end
  for (Slot& slot : slots_) {
    switch (slot.state()) {
      case SlotState::starting:  // it may be ready by now and have accepted; it knows, and says so at once
        drain(slot, Cause::stop);
        slot.shorten(now_ + kBootPatience);
        break;
      case SlotState::serving:
        drain(slot, Cause::stop);
        break;
      case SlotState::cooling: slot.clear(); break;
      case SlotState::draining:
        act(DrainWorker{slot.index(), false});
        break;  // the workers that took over its connections go, too
      case SlotState::empty:
      case SlotState::killing: break;
    }
  }
  rollout_.reset();
  for (auto& [generation, mold] : molds_) stop_mold(mold);
}

/// A mold that forks is let finish, so that no worker appears unknown; one that loads serves no requests and may take
/// minutes.
void Supervisor::stop_mold(Mold& mold) {
  switch (mold.state) {
    case MoldState::loading: return kill_mold(mold);
    case MoldState::ready:
      if (slots_.any_forking(mold.generation)) return;
      mold.state = MoldState::leaving;
      mold.deadline = now_ + settings_.grace;
      mold.complain_at = now_ + std::min<Clock::duration>(kMoldPatience, settings_.grace / 2);
      return act(StopMold{mold.generation});
    case MoldState::cooling:
      mold.state = MoldState::absent;
      mold.deadline = TimePoint::max();
      return;
    case MoldState::absent:
    case MoldState::leaving: return;
  }
}

void Supervisor::kill_mold(Mold& mold) {
  if (phase_ == Phase::stopping || !is_needed(mold)) mold.state = MoldState::leaving;
  if (mold.pid == 0) return;  // its pid is on the way: handle(MoldStarted) comes back here
  mold.deadline = TimePoint::max();
  mold.complain_at = TimePoint::max();
  mold.killed = true;
  act(Kill{mold.pid, SIGKILL});
}

void Supervisor::kill_everything(Cause cause) {
  killing_all_ = true;
  for (Slot& slot : slots_) {
    const bool certain = slot.state() == SlotState::killing && slot.deadline() == TimePoint::max();
    if (slot.occupied() && !certain) kill_worker(slot, cause, turn());
  }
  for (auto& [generation, mold] : molds_) {
    if (mold.state != MoldState::absent) kill_mold(mold);
  }
}

void Supervisor::fail_boot(std::string sentence, std::vector<log::Field> fields) {
  say(log::Level::error, std::move(sentence), std::move(fields));
  begin_stop(exit_code::app_failed);
  kill_everything(Cause::boot_failed);
}

/// Counts a crash of something that had been healthy for so long. Health in between forgives, and a server that still
/// serves does not give up.
bool Supervisor::one_crash_too_many(Clock::duration healthy_for) {
  const bool others_serve = slots_.any([](const Slot& slot) { return slot.state() == SlotState::serving; });
  crashes_in_a_row_ = others_serve || healthy_for >= settings_.restart.backoff_reset ? 0 : crashes_in_a_row_ + 1;
  return settings_.restart.give_up_after > 0 && crashes_in_a_row_ >= settings_.restart.give_up_after;
}

void Supervisor::enforce_deadlines() {
  if (leaves_at_ <= now_) {
    say(log::Level::info, "the delay of the stop is over, draining", {});
    begin_stop(exit_code::ok);
  }
  for (Slot& slot : slots_) {
    if (slot.deadline() <= now_) enforce_deadline(slot);
  }
  for (auto& [generation, mold] : molds_) {
    if (mold.deadline <= now_) enforce_mold_deadline(mold);
    if (mold.complain_at <= now_) complain_of_mold(mold);
  }
}

void Supervisor::enforce_deadline(Slot& slot) {
  std::vector<log::Field> fields = {{"slot", slot.number()}, {"worker_pid", slot.pid()}};
  switch (slot.state()) {
    case SlotState::starting:
      slot.explain("not ready within " +
                   (is_canary(slot) ? format_duration(settings_.reload.ready_timeout) + " (reload.ready_timeout)"
                                    : format_duration(settings_.limits.boot_timeout) + " (workers.boot_timeout)"));
      fields.emplace_back("why", slot.why());
      say(log::Level::warning, "worker does not become ready, killing it", std::move(fields));
      if (slot.forking()) kill_mold_of(slot);  // it does not even answer
      return kill_worker(slot, Cause::boot_failed, turn());
    case SlotState::serving:
      if (slot.forking()) {
        say(log::Level::warning, "the mold does not say which process a worker is, killing the mold",
            {{"slot", slot.number()}, {"gen", slot.generation()}});
        slot.explain("its worker is ready, and its pid still unknown");
        return kill_mold_of(slot);
      }
      fields.emplace_back("cause", name_of(slot.cause()));
      say(log::Level::warning, "no successor became ready in time, the worker drains all the same", std::move(fields));
      return drain(slot, slot.cause());
    case SlotState::draining:
      fields.emplace_back("cause", name_of(slot.cause()));
      if (slot.boots() && phase_ == Phase::stopping) {
        say(log::Level::info, "worker is still starting, killing it", std::move(fields));
        if (slot.forking()) kill_mold_of(slot);
        return kill_worker(slot, slot.cause(), turn());
      }
      if (slot.stuck()) {
        say(log::Level::warning, "worker has handlers that do not return, aborting it", std::move(fields));
        return abort_worker(slot, slot.cause(), turn());
      }
      fields.emplace_back("grace_ms", settings_.grace);
      say(log::Level::warning, "worker did not drain within the grace, killing it", std::move(fields));
      if (slot.forking()) kill_mold_of(slot);
      return kill_worker(slot, Cause::grace_over, turn());
    case SlotState::killing:
      fields.emplace_back("cause", name_of(slot.cause()));
      say(log::Level::warning, "worker outlives SIGABRT, killing it", std::move(fields));
      return kill_worker(slot, slot.cause(), turn());
    case SlotState::empty:
    case SlotState::cooling: return;
  }
}

void Supervisor::kill_mold_of(const Slot& slot) {
  Mold* mold = find_mold(slot.generation());
  if (mold == nullptr) return;
  if (mold->why.empty() && !slot.why().empty()) mold->why = "it did not fork a worker: " + slot.why();
  kill_mold(*mold);
}

void Supervisor::enforce_mold_deadline(Mold& mold) {
  switch (mold.state) {
    case MoldState::loading:
      mold.why = "it did not load within " + format_duration(settings_.limits.boot_timeout) + " (workers.boot_timeout)";
      return kill_mold(mold);
    case MoldState::leaving:
      say(log::Level::warning, "the mold did not end within the grace, killing it",
          {{"gen", mold.generation}, {"mold_pid", mold.pid}, {"grace_ms", settings_.grace}});
      return kill_mold(mold);
    case MoldState::cooling:
      if (forks_.take(now_)) return start_mold(mold);
      mold.deadline = forks_.available_at(now_);
      return;
    case MoldState::absent:
    case MoldState::ready: return;
  }
}

/// A stop waits for it, and a reload leaves it behind: the log should show what either waits for.
void Supervisor::complain_of_mold(Mold& mold) {
  mold.complain_at = TimePoint::max();
  const Duration left = std::chrono::ceil<Duration>(mold.deadline - now_);
  say(log::Level::warning, "the mold takes long to end",
      {{"gen", mold.generation},
       {"mold_pid", mold.pid},
       {"hint", "the app's destructor runs"},
       {"next", "killing it in " + std::to_string(left.count()) + "ms"}});
}

void Supervisor::finish_if_done() {
  if (phase_ != Phase::stopping) return;
  for (auto& [generation, mold] : molds_) stop_mold(mold);
  const bool occupied = slots_.any([](const Slot& slot) { return slot.occupied(); });
  const bool molded = std::any_of(molds_.begin(), molds_.end(),
                                  [](const auto& entry) { return entry.second.state != MoldState::absent; });
  if (occupied || molded) return;
  phase_ = Phase::finished;
  for (Log& line : fold_.rest()) act(std::move(line));
  act(Finish{exit_code_});
}

}  // namespace serval::supervisor
