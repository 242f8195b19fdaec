#include "supervisor/ending.hpp"

#include <algorithm>
#include <utility>

#include "base/exit_code.hpp"
#include "base/units.hpp"
#include "supervisor/mold_steps.hpp"
#include "supervisor/worker_starter.hpp"
#include "supervisor/worker_steps.hpp"

namespace serval::supervisor {
namespace {

/// timeout(1) signals its child, then the child's process group; npm, make and foreman pass on what the terminal has
/// sent to all of them already. What comes so soon after the first one is no second request.
constexpr auto kSameSignal = std::chrono::seconds(1);
/// In a stop: for the word of a worker that has just become ready. One that says nothing is busy in worker_start, and
/// has no client.
constexpr auto kBootPatience = std::chrono::seconds(1);

constexpr std::string_view kNextOfStop = "again, or serval stop --now, to stop at once";
constexpr std::string_view kNextOfDelay = "serving on, but not ready; again, or serval stop --now, to stop at once";

/// The kernel signals the youngest processes of a group first: workers say that they leave before our own signal gets
/// here, and theirs was the same one.
void claim_early_leavers(const Turn& turn) {
  for (Slot& slot : turn.slots) {
    const bool just_left = slot.state() == SlotState::draining && slot.cause() == Cause::manual &&
                           slot.deadline() > turn.now + turn.settings.grace - kGroupSignal;
    if (just_left) slot.leave_for(Cause::stop);
  }
}

}  // namespace

StopEffect Ending::effect_of(const StopRequested& event, const World& world, TimePoint now) const {
  if (killing_all_) return StopEffect::nothing;
  if (event.now) return StopEffect::at_once;
  if (world.phase != Phase::stopping && !world.leaving()) return StopEffect::graceful;
  const bool repeated = now < asked_ + kSameSignal;
  const bool first = asked_ == TimePoint::min();  // it stops by itself
  return first || repeated ? StopEffect::nothing : StopEffect::at_once;
}

void Ending::on(const StopRequested& event, const Turn& turn) {
  const StopEffect effect = effect_of(event, turn.world, turn.now);
  if (turn.now >= asked_ + kSameSignal) asked_ = turn.now;
  if (turn.phase() != Phase::stopping && !turn.leaving()) {
    const Duration most = turn.settings.delay;
    const bool delay = turn.phase() == Phase::running && most > Duration::zero() && !event.now;
    std::vector<log::Field> fields = {{"signal", event.signal}};
    if (delay) fields.emplace_back("delay_ms", most);
    if (!event.now) {
      const Duration longest = turn.settings.grace + (delay ? most : Duration::zero());
      fields.insert(fields.end(), {{"requests", event.requests},
                                   {"at_most", format_duration(longest)},
                                   {"next", delay ? kNextOfDelay : kNextOfStop}});
    }
    turn.say(log::Level::info, "stopping", std::move(fields));
    claim_early_leavers(turn);
    delay ? leave(turn) : begin_stop(exit_code::ok, turn);
  }
  if (effect != StopEffect::at_once) return;
  turn.say(log::Level::warning, event.now ? "stopping at once" : "stopping at once: second signal",
           {{"signal", event.signal}});
  if (turn.leaving()) begin_stop(exit_code::ok, turn);
  kill_everything(Cause::stop, turn);
}

/// Everything goes on as it is, only that no new traffic should be sent here.
void Ending::leave(const Turn& turn) {
  turn.world.leaves_at = turn.now + turn.settings.delay;
  traffic_.resume("the stop", turn);
  notifier_.stopping(turn);
}

void Ending::look_at_delay(const Turn& turn) {
  if (turn.world.leaves_at > turn.now) return;
  turn.say(log::Level::info, "the delay of the stop is over, draining", {});
  begin_stop(exit_code::ok, turn);
}

void Ending::begin_stop(int exit_code, const Turn& turn) {
  World& world = turn.world;
  const bool said = turn.leaving();
  world.phase = Phase::stopping;
  exit_code_ = said ? exit_code::ok : exit_code;  // it was asked for
  world.leaves_at = TimePoint::max();
  if (!said) notifier_.stopping(turn);
  turn.act(RefuseConnections{});
  traffic_.resume("the stop", turn);  // what waits is answered before the end
  for (Slot& slot : turn.slots) {
    switch (slot.state()) {
      case SlotState::starting:  // it may be ready by now and have accepted; it knows, and says so at once
        drain_worker(slot, Cause::stop, turn);
        slot.shorten(turn.now + kBootPatience);
        break;
      case SlotState::serving: drain_worker(slot, Cause::stop, turn); break;
      case SlotState::cooling: slot.clear(); break;
      case SlotState::draining:
        turn.act(DrainWorker{slot.index(), false});
        break;  // the workers that took over its connections go, too
      case SlotState::empty:
      case SlotState::killing: break;
    }
  }
  world.rollout.reset();
  for (auto& [generation, mold] : turn.molds) stop_mold(mold, turn);
}

void Ending::kill_everything(Cause cause, const Turn& turn) {
  killing_all_ = true;
  if (cause == Cause::stop) turn.world.at_once = true;
  for (Slot& slot : turn.slots) {
    const bool certain = slot.state() == SlotState::killing && slot.deadline() == TimePoint::max();
    if (slot.occupied() && !certain) kill_worker(slot, cause, turn);
  }
  for (auto& [generation, mold] : turn.molds) {
    if (mold.state != MoldState::absent) kill_mold(mold, turn);
  }
}

void Ending::fail_boot(std::string sentence, std::vector<log::Field> fields, const Turn& turn) {
  turn.say(log::Level::error, std::move(sentence), std::move(fields));
  begin_stop(exit_code::app_failed, turn);
  kill_everything(Cause::boot_failed, turn);
}

void Ending::give_up(const Turn& turn) { begin_stop(exit_code::gave_up, turn); }

void Ending::finish_if_done(bool programs_gone, const Turn& turn) const {
  if (turn.phase() != Phase::stopping) return;
  for (auto& [generation, mold] : turn.molds) stop_mold(mold, turn);
  const bool occupied = turn.slots.any([](const Slot& slot) { return slot.occupied(); });
  const bool molded = std::any_of(turn.molds.begin(), turn.molds.end(),
                                  [](const auto& entry) { return entry.second.state != MoldState::absent; });
  if (occupied || molded || !programs_gone) return;
  turn.world.phase = Phase::finished;
  turn.say_what_is_folded();
  turn.act(Finish{exit_code_});
}

}  // namespace serval::supervisor
