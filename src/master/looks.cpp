#include "master/looks.hpp"

#include <utility>

#include "base/readiness.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "os/thread_stat.hpp"
#include "scoreboard/generations.hpp"
#include "scoreboard/reader.hpp"

namespace serval::master {

/// A loop's thread costs a read of /proc, so it is looked at only where the beats are not enough.
void Looks::perform(const supervisor::LookAtWorkers& action) {
  supervisor::LookedAtWorkers looked;
  const TimePoint now = Clock::now();
  for (const auto& [slot, worker] : parts_.children.workers()) {
    if (worker->pid == 0) continue;
    supervisor::Sample sample{.slot = slot, .pid = worker->pid, .pulse = {}, .memory = {}};
    const scoreboard::SlotReading reading = scoreboard::read_slot(parts_.scoreboard, slot);
    sample.pulse.beat = reading.last_beat;
    if (action.silent_for > Duration::zero() && now - reading.last_beat >= action.silent_for) {
      const auto loop = os::thread_stat(worker->pid, reading.loop_thread);
      if (loop) sample.pulse.state = loop->state;
      if (loop) sample.pulse.cpu = loop->cpu;
    }
    if (action.memory) sample.memory = parts_.memory.look(worker->pid);
    looked.samples.push_back(sample);
  }
  tell_(std::move(looked));
}

namespace {

supervisor::Figures figures_of(const scoreboard::GenerationTotals& totals) {
  constexpr double kNanosecondsPerSecond = 1e9;
  return {.requests = totals.requests(),
          .errors = totals.errors(),
          .bounds = {scoreboard::kBounds.begin(), scoreboard::kBounds.end()},
          .durations = {totals.durations.counts.begin(), totals.durations.counts.end()},
          .seconds = static_cast<double>(totals.durations.sum_ns) / kNanosecondsPerSecond};
}

/// A request that has been in hand for so long counts as if it were answered now.
constexpr auto kLong = std::chrono::seconds(1);
/// For a worker that may be about to take over: half of what is taken for an accident while it serves.
constexpr auto kSilent = kSilentAfter / 2;

/// What its workers have in hand, and say or do not say.
void add_what_lives(supervisor::Figures& figures, const scoreboard::Memory& scoreboard, int generation, TimePoint now) {
  for (int slot = scoreboard.next_used(0); slot >= 0; slot = scoreboard.next_used(slot + 1)) {
    const scoreboard::SlotReading worker = scoreboard::read_slot(scoreboard, slot);
    if (worker.generation != generation || worker.phase != scoreboard::WorkerPhase::serving) continue;
    for (const auto& request : scoreboard::read_requests(scoreboard, slot)) {
      if (const auto age = now - request.started; age >= kLong)
        figures.in_hand.push_back(std::chrono::duration<double>(age).count());
    }
    if (worker.app_declines) {
      figures.unfit = "its app's ready() says no";
    } else if (is_silent(worker.last_beat, now, kSilent)) {
      figures.unfit =
          "its worker has given no sign of life for " + format_duration(in_milliseconds(now - worker.last_beat));
    }
  }
}

}  // namespace

void Looks::perform(const supervisor::LookAtGenerations& action) {
  const TimePoint now = Clock::now();
  const auto figures = [this, now](int generation) {
    supervisor::Figures read = figures_of(scoreboard::read_generation(parts_.scoreboard, generation));
    add_what_lives(read, parts_.scoreboard, generation, now);
    return read;
  };
  tell_(supervisor::GenerationFigures{action.old, action.fresh, figures(action.old), figures(action.fresh)});
}

/// If that one does not load either, the next crash is no reason to try the same file again.
void Looks::perform(const supervisor::InspectApp& action) {
  const MoldProcess* mold = parts_.children.find_mold(action.generation);
  const AppFile now = look_at_app(parts_.generations.config_of(action.generation).app.library);
  if (mold == nullptr || !worth_loading(now, mold->app_file, tried_app_)) return;
  tried_app_ = now;
  tell_(supervisor::AppChanged{action.generation});
}

}  // namespace serval::master
