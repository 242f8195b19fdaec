#include "supervisor/worker_ends.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/check.hpp"
#include "base/exit_code.hpp"

namespace serval::supervisor {
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

constexpr std::string_view kLostDescriptor =
    "the app has closed a descriptor of serval's that it cannot do without; it may close only what it has opened";

/// It says so by its exit code, for want of another way.
bool lost_descriptor(const Exit& exit) { return !exit.signaled && exit.code == exit_code::unfit; }

/// Cause of an end that the kernel brought about for want of memory; else none.
Cause kernels_cause(const Exit& exit) {
  if (!exit.signaled || exit.code != SIGKILL) return Cause::none;
  if (exit.above_hard) return Cause::memory_hard;
  return exit.oom ? Cause::oom : Cause::none;
}

/// Cause that ended a worker which was asked to leave, before it was done; else none.
Cause harder_end(const Slot& slot, const Exit& exit) {
  if (slot.state() != SlotState::draining) return Cause::none;
  if (const Cause cause = kernels_cause(exit); cause != Cause::none) return cause;
  if (lost_descriptor(exit)) return Cause::unfit;
  if (exit.signaled || exit.code != 0) return Cause::crash;
  // It has cut those that are left itself, a little before we would have.
  return exit.requests.empty() ? Cause::none : Cause::grace_over;
}

}  // namespace

Consequence WorkerEnds::on(const ForkFailed& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr || !slot->forking()) return {};
  if (slot->state() != SlotState::starting) {
    slot->clear();
    return {};
  }
  slot->explain(event.why);
  return failed(*slot, Cause::boot_failed, event.why, {{"slot", slot->number()}}, turn);
}

Consequence WorkerEnds::on_exit(Slot& slot, const Exit& exit, const Turn& turn) {
  std::vector<log::Field> fields = {{"slot", slot.number()},
                                    {"worker_pid", slot.pid()},
                                    {"age_ms", in_milliseconds(turn.now - slot.started())}};
  append_exit(fields, exit);
  for (const LostRequest& request : exit.requests) {
    turn.say(log::Level::warning, "request lost with its worker",
             {{"slot", slot.number()},
              {"worker_pid", slot.pid()},
              {"method", request.method},
              {"target", request.target},
              {"request_id", request.request_id},
              {"age_ms", request.age}});
  }
  if (const Cause harder = harder_end(slot, exit); harder != Cause::none) slot.end_by(harder);
  switch (slot.state()) {
    case SlotState::draining:
    case SlotState::killing:
      if (slot.cause() == Cause::boot_failed && turn.phase() != Phase::stopping)
        return failed(slot, Cause::boot_failed, exit.text, std::move(fields), turn);
      retired(slot, exit, std::move(fields), turn);
      return {};
    case SlotState::starting:
      if (const Cause cause = kernels_cause(exit); cause != Cause::none) {
        slot.explain(std::string(kOutOfMemory));
        return failed(slot, cause, exit.text, std::move(fields), turn);
      }
      if (slot.why().empty() && lost_descriptor(exit)) slot.explain(std::string(kLostDescriptor));
      if (slot.why().empty()) slot.explain("it ended before it was ready: " + exit.text);
      return failed(slot, Cause::boot_failed, exit.text, std::move(fields), turn);
    case SlotState::serving:
      if (const Cause cause = kernels_cause(exit); cause != Cause::none) {
        slot.explain(std::string(kOutOfMemory));
        return failed(slot, cause, exit.text, std::move(fields), turn);
      }
      if (lost_descriptor(exit)) {
        slot.explain(std::string(kLostDescriptor));
        return failed(slot, Cause::unfit, exit.text, std::move(fields), turn);
      }
      if (exit.signaled && exit.code == SIGKILL) slot.explain(std::string(kKilledFromOutside));
      return failed(slot, Cause::crash, exit.text, std::move(fields), turn);
    case SlotState::empty:
    case SlotState::cooling: break;
  }
  SERVAL_CHECK(false && "a worker exits from a slot that holds one");
  return {};
}

/// It was meant to end.
void WorkerEnds::retired(Slot& slot, const Exit& exit, std::vector<log::Field> fields, const Turn& turn) {
  const bool as_meant = slot.state() == SlotState::killing || (!exit.signaled && exit.code == 0);
  const bool all_answered = exit.requests.empty() && as_meant;
  fields.emplace_back("cause", name_of(slot.cause()));
  if (slot.first_cause() != Cause::none) fields.emplace_back("first_cause", name_of(slot.first_cause()));
  if (kernels_cause(exit) != Cause::none && slot.state() == SlotState::draining)
    fields.emplace_back("why", kOutOfMemory);
  if (slot.state() == SlotState::draining && lost_descriptor(exit)) fields.emplace_back("why", kLostDescriptor);
  if (turn.phase() == Phase::running && slot.cause() != Cause::scale && slot.first_cause() != Cause::scale) {
    fields.emplace_back("next",
                        turn.world.missing_workers() > 0 ? "its successor starts" : "its successor is there");
  }
  const bool one_of_all = slot.cause() == Cause::reload || slot.cause() == Cause::stop;
  const log::Level usual = one_of_all ? turn.world.routine() : log::Level::info;
  turn.say(all_answered ? usual : log::Level::warning, as_meant ? "worker stopped" : "worker died while it drained",
           std::move(fields));
  ++ended_[slot.cause()];
  slot.clear();
  slot.backoff.forget();
}

Consequence WorkerEnds::canary_failed(Slot& slot, Cause cause, const std::string& how, std::vector<log::Field> fields,
                                      const Turn& turn) {
  const std::string last_words = slot.why().empty() ? "its first worker died: " + how : slot.why();
  fields.emplace_back("cause", name_of(cause));
  fields.emplace_back("next", "the reload has failed");
  slot.clear();
  turn.say(log::Level::warning, "worker died", std::move(fields));
  return {Consequence::Kind::rollout_failed, last_words};
}

/// It was not: says so, with what happens next. Before the first worker is ready these are warnings, since either
/// another one becomes ready, or the failed boot has the last word.
Consequence WorkerEnds::failed(Slot& slot, Cause cause, const std::string& how, std::vector<log::Field> fields,
                               const Turn& turn) {
  using Kind = Consequence::Kind;
  ++ended_[cause];
  if (turn.world.is_canary(slot)) return canary_failed(slot, cause, how, std::move(fields), turn);
  const Clock::duration healthy_for = slot.healthy_for(turn.now);
  const Duration delay = slot.backoff.crashed(turn.settings.restart, healthy_for, turn.world.random);
  const bool booting = turn.phase() == Phase::booting;
  const bool killed_from_outside = slot.why() == kKilledFromOutside;
  const std::string why = slot.why();
  fields.emplace_back("cause", name_of(cause));
  if (!why.empty()) fields.emplace_back("why", why);
  slot.cool(turn.now + delay);
  const bool give_up = crashes_.add(healthy_for, turn);
  fields.emplace_back("next", give_up ? "giving up" : restarting_in(delay));
  turn.say(booting ? log::Level::warning : log::Level::error, "worker died", std::move(fields));
  // Not a kill from outside, which says nothing about the code.
  if (turn.world.is_of_rollout(slot) &&
      (cause == Cause::boot_failed || cause == Cause::unfit || (cause == Cause::crash && !killed_from_outside))) {
    return {Kind::roll_back, why.empty() ? "its workers die" : why};
  }
  if (give_up) return {Kind::give_up};
  const auto tried = [&turn](const Slot& other) {
    return other.index() >= turn.settings.workers || other.backoff.crashes_in_a_row() > 0;
  };
  if (booting && std::all_of(turn.slots.begin(), turn.slots.end(), tried))
    return {Kind::boot_failed, "the app did not boot in any worker", {{"why", why}}};
  return {};
}

}  // namespace serval::supervisor
