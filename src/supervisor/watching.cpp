#include <algorithm>
#include <csignal>

#include "base/units.hpp"
#include "config/options.hpp"
#include "supervisor/supervisor.hpp"

// Looks at workers that cannot or will not speak for themselves: whether their loops turn, and how much memory they have.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// A timer this late means that the machine, or we, did not run at all; the workers may not have either.
constexpr auto kAsleep = 1s;

}  // namespace

/// A suspended machine, a paused container, a stopped master: on waking up all workers look as if they hung.
void Supervisor::forgive_if_we_slept() {
  if (wakeup_ == TimePoint::max() || now_ - wakeup_ < kAsleep) return;
  for (Slot& slot : slots_) {
    if (slot.serving()) slot.watched.heart.forgive(now_);
  }
}

TimePoint Supervisor::next_look() const {
  if (phase_ == Phase::finished) return TimePoint::max();
  TimePoint next = measures_memory() ? next_measurement_ : TimePoint::max();
  for (const Slot& slot : slots_) {
    if (slot.serving()) next = std::min(next, slot.watched.heart.next_look());
  }
  return next;
}

bool Supervisor::measures_memory() const { return settings_.memory.soft > 0 || settings_.memory.hard > 0; }

void Supervisor::look_if_due() {
  if (next_look() > now_ || looking_) return;
  looking_ = true;
  const Duration timeout = settings_.limits.heartbeat_timeout;
  act(LookAtWorkers{.memory = measures_memory() && next_measurement_ <= now_, .silent_for = timeout});
}

void Supervisor::handle(const LookedAtWorkers& event) {
  looking_ = false;
  const bool measured = std::any_of(event.samples.begin(), event.samples.end(), [](const Sample& sample) { return sample.memory.has_value(); });
  for (const Sample& sample : event.samples) {
    Slot* slot = slots_.find(sample.slot);
    if (slot == nullptr || !slot->occupied() || slot->pid() != sample.pid) continue;
    if (sample.memory) check_memory(*slot, *sample.memory);
    if (slot->serving()) check_heart(*slot, sample.pulse);
  }
  for (Slot& slot : slots_) slot.watched.heart.postpone(now_);
  if (!measured && next_measurement_ > now_) return;
  const bool unsure = slots_.any([](const Slot& slot) { return slot.watched.above_hard; });
  next_measurement_ = now_ + (unsure ? settings_.memory.interval / 2 : settings_.memory.interval);
}

/// Above the hard ceiling twice, half an interval apart: a spike that is gone by then has done its harm, and its worker would have to answer
/// for it with all its requests.
void Supervisor::check_memory(Slot& slot, std::uint64_t bytes) {
  const config::Memory& memory = settings_.memory;
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
    say(log::Level::error, "worker is above the hard memory ceiling", std::move(line));
    return kill_worker(slot, Cause::memory_hard);
  }
  slot.watched.looks_above_soft = memory.soft > 0 && bytes > memory.soft ? slot.watched.looks_above_soft + 1 : 0;
  if (slot.watched.looks_above_soft < memory.samples || !slot.serving() || slot.due()) return;
  say(log::Level::warning, "worker is above the soft memory ceiling", fields(memory.soft));
  make_due(slot, Cause::memory_soft);
}

void Supervisor::check_heart(Slot& slot, const Pulse& pulse) {
  if (slot.watched.heart.judge(pulse, now_) != Heart::Verdict::hung) return;
  const bool stopped = pulse.state == 'T';
  say(log::Level::error, "worker hangs: its I/O loop makes no progress",
      {{"slot", slot.number()},
       {"worker_pid", slot.pid()},
       {"silent_ms", std::chrono::duration_cast<Duration>(slot.watched.heart.silent_for(now_))},
       {"loop", stopped ? "stopped by a signal" : pulse.state == 'R' ? "runs in circles" : "waits"},
       {"cause", name_of(Cause::heartbeat_timeout)},
       {"next", "killing it, its successor starts at once"}});
  // Who is stopped handles no signal but the last one.
  stopped ? kill_worker(slot, Cause::heartbeat_timeout) : abort_worker(slot, Cause::heartbeat_timeout);
}

}  // namespace serval::supervisor
