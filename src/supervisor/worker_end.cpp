#include <algorithm>
#include <csignal>
#include <utility>

#include "base/check.hpp"
#include "base/exit_code.hpp"
#include "supervisor/supervisor.hpp"

// The end of a worker: what it is called in the log, and what follows.
namespace serval::supervisor {
void Supervisor::handle(const ChildExited& event) {
  const auto mold =
      std::find_if(molds_.begin(), molds_.end(), [&event](const auto& entry) { return entry.second.pid == event.pid; });
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
  if (exit.signaled || exit.code != 0) return Cause::crash;
  // It has cut those that are left itself, a little before we would have.
  return exit.requests.empty() ? Cause::none : Cause::grace_over;
}

}  // namespace

void Supervisor::worker_exited(Slot& slot, const Exit& exit) {
  std::vector<log::Field> fields = {{"slot", slot.number()},
                                    {"worker_pid", slot.pid()},
                                    {"age_ms", in_milliseconds(now_ - slot.started())}};
  append_exit(fields, exit);
  for (const LostRequest& request : exit.requests) {
    say(log::Level::warning, "request lost with its worker",
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
      if (slot.cause() == Cause::boot_failed && phase_ != Phase::stopping)
        return worker_failed(slot, Cause::boot_failed, exit.text, std::move(fields));
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
  if (kernels_cause(exit) != Cause::none && slot.state() == SlotState::draining)
    fields.emplace_back("why", kOutOfMemory);
  if (phase_ == Phase::running && slot.cause() != Cause::scale && slot.first_cause() != Cause::scale) {
    fields.emplace_back("next", missing_workers() > 0 ? "its successor starts" : "its successor is there");
  }
  const bool one_of_all = slot.cause() == Cause::reload || slot.cause() == Cause::stop;
  const log::Level usual = one_of_all ? routine() : log::Level::info;
  say(all_answered ? usual : log::Level::warning, as_meant ? "worker stopped" : "worker died while it drained",
      std::move(fields));
  ++ended_[slot.cause()];
  slot.clear();
  slot.backoff.forget();
}

/// It was not: says so, with what happens next. Before the first worker is ready these are warnings, since either
/// another one becomes ready, or fail_boot has the last word.
void Supervisor::worker_failed(Slot& slot, Cause cause, const std::string& how, std::vector<log::Field> fields) {
  ++ended_[cause];
  if (is_canary(slot)) {
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
  // Not a kill from outside, which says nothing about the code.
  if (belongs_to_rollout(slot) && (cause == Cause::boot_failed || (cause == Cause::crash && !killed_from_outside))) {
    return roll_back(why.empty() ? "its workers die" : why);
  }
  if (give_up) return begin_stop(exit_code::gave_up);
  const auto tried = [this](const Slot& other) {
    return other.index() >= settings_.workers || other.backoff.crashes_in_a_row() > 0;
  };
  if (booting && std::all_of(slots_.begin(), slots_.end(), tried))
    fail_boot("the app did not boot in any worker", {{"why", why}});
}

std::string Supervisor::restarting(Duration delay) {
  return delay == Duration::zero() ? "restarting at once" : "restarting in " + std::to_string(delay.count()) + "ms";
}

}  // namespace serval::supervisor
