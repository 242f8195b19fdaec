#include "supervisor/watch.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "config/options.hpp"
#include "supervisor/worker_steps.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// A timer this late means that the machine, or we, did not run at all; the workers may not have either.
constexpr auto kAsleep = 1s;

bool measures_memory(const Settings& settings) { return settings.memory.soft > 0 || settings.memory.hard > 0; }

/// Above the hard ceiling twice, half an interval apart: a spike that is gone by then has done its harm, and its worker
/// would have to answer for it with all its requests.
void check_memory(Slot& slot, std::uint64_t bytes, const Turn& turn) {
  const config::Memory& memory = turn.settings.memory;
  const auto fields = [&](std::size_t ceiling) {
    return std::vector<log::Field>{{"slot", slot.number()}, {"worker_pid", slot.pid()},
                                   {"memory", format_size_like(bytes, ceiling)}, {"ceiling", format_size(ceiling)},
                                   {"measure", config::name_of(memory.measure)}};
  };
  const bool above_hard = memory.hard > 0 && bytes > memory.hard;
  const bool confirmed = above_hard && slot.watched.above_hard;
  slot.watched.above_hard = above_hard;
  if (confirmed && slot.state() != SlotState::killing) {
    auto line = fields(memory.hard);
    line.emplace_back("next", "killing it, its successor starts at once");
    turn.say(log::Level::error, "worker is above the hard memory ceiling", std::move(line));
    return kill_worker(slot, Cause::memory_hard, turn);
  }
  slot.watched.looks_above_soft = memory.soft > 0 && bytes > memory.soft ? slot.watched.looks_above_soft + 1 : 0;
  if (slot.watched.looks_above_soft < memory.samples || !slot.serving() || slot.due()) return;
  turn.say(log::Level::warning, "worker is above the soft memory ceiling", fields(memory.soft));
  make_due(slot, Cause::memory_soft, turn);
}

/// In a drain, too, a loop that turns is what its requests and the master wait for. Not that of a worker which an
/// earlier version of serval had: it may not say when its loop has ended, and worker_stop() would look like silence.
bool has_heart(const Slot& slot) {
  return slot.serving() || (slot.state() == SlotState::draining && !slot.watched.taken_over);
}

void check_heart(Slot& slot, const Pulse& pulse, const Turn& turn) {
  if (slot.watched.heart.judge(pulse, turn.now) != Heart::Verdict::hung) return;
  const bool stopped = pulse.state == 'T';
  turn.say(log::Level::error, "worker hangs: its I/O loop makes no progress",
      {{"slot", slot.number()},
       {"worker_pid", slot.pid()},
       {"silent_ms", in_milliseconds(slot.watched.heart.silent_for(turn.now))},
       {"loop", stopped ? "stopped by a signal" : pulse.state == 'R' ? "runs in circles" : "waits"},
       {"cause", name_of(Cause::heartbeat_timeout)},
       {"next", slot.serving() ? "killing it, its successor starts at once" : "killing it, it does not drain"}});
  // A stopped process handles no signal but SIGKILL.
  stopped ? kill_worker(slot, Cause::heartbeat_timeout, turn) : abort_worker(slot, Cause::heartbeat_timeout, turn);
}

}  // namespace

void Watch::forgive_if_we_slept(TimePoint wakeup, const Turn& turn) {
  if (wakeup == TimePoint::max() || turn.now - wakeup < kAsleep) return;
  for (Slot& slot : turn.slots) {
    if (has_heart(slot)) slot.watched.heart.forgive(turn.now);
  }
}

TimePoint Watch::next(const Settings& settings, const Slots& slots) const {
  if (looking_) return TimePoint::max();
  TimePoint next = measures_memory(settings) ? next_measurement_ : TimePoint::max();
  for (const Slot& slot : slots) {
    if (has_heart(slot)) next = std::min(next, slot.watched.heart.next_look());
  }
  return next;
}

void Watch::settle(const Turn& turn) {
  if (next(turn.settings, turn.slots) > turn.now) return;
  looking_ = true;
  turn.act(LookAtWorkers{.memory = measures_memory(turn.settings) && next_measurement_ <= turn.now,
                         .silent_for = turn.settings.limits.heartbeat_timeout});
}

void Watch::on(const LookedAtWorkers& event, const Turn& turn) {
  looking_ = false;
  for (const Sample& sample : event.samples) {
    Slot* slot = turn.slots.find(sample.slot);
    if (slot == nullptr || !slot->occupied() || slot->pid() != sample.pid) continue;
    if (sample.memory) check_memory(*slot, *sample.memory, turn);
    if (has_heart(*slot)) check_heart(*slot, sample.pulse, turn);
  }
  for (Slot& slot : turn.slots) slot.watched.heart.postpone(turn.now);
  const auto has_memory = [](const Sample& sample) { return sample.memory.has_value(); };
  if (std::none_of(event.samples.begin(), event.samples.end(), has_memory) && next_measurement_ > turn.now) return;
  const bool unsure = turn.slots.any([](const Slot& slot) { return slot.watched.above_hard; });
  const Duration interval = turn.settings.memory.interval;
  next_measurement_ = turn.now + (unsure ? interval / 2 : interval);
}

}  // namespace serval::supervisor
