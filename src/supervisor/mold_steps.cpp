#include "supervisor/mold_steps.hpp"

#include <algorithm>
#include <csignal>

namespace serval::supervisor {
namespace {

/// After it, a mold that was asked to end takes long; earlier where the grace is short.
constexpr auto kMoldPatience = std::chrono::seconds(5);

}  // namespace

void start_mold(Mold& mold, const Turn& turn) {
  mold.state = MoldState::loading;
  mold.pid = 0;
  mold.killed = false;
  mold.started = turn.now;
  if (mold.begun == TimePoint{}) mold.begun = turn.now;
  mold.loaded_at = TimePoint::max();
  mold.deadline = turn.after(turn.world.settings_of(mold.generation).limits.boot_timeout);
  mold.why.clear();
  mold.reopens_pending = 0;
  turn.act(StartMold{mold.generation});
}

void stop_mold(Mold& mold, const Turn& turn) {
  switch (mold.state) {
    case MoldState::loading: return kill_mold(mold, turn);
    case MoldState::ready:
      if (turn.slots.any_forking(mold.generation)) return;
      mold.state = MoldState::leaving;
      mold.deadline = turn.now + turn.settings.grace;
      mold.complain_at = turn.now + std::min<Clock::duration>(kMoldPatience, turn.settings.grace / 2);
      return turn.act(StopMold{mold.generation});
    case MoldState::cooling:
      mold.state = MoldState::absent;
      mold.deadline = TimePoint::max();
      return;
    case MoldState::absent:
    case MoldState::leaving: return;
  }
}

void kill_mold(Mold& mold, const Turn& turn) {
  if (turn.phase() == Phase::stopping || !turn.world.is_needed(mold)) mold.state = MoldState::leaving;
  if (mold.pid == 0) return;  // its pid is on the way: MoldStarted comes back here
  mold.deadline = TimePoint::max();
  mold.complain_at = TimePoint::max();
  mold.killed = true;
  turn.act(Kill{mold.pid, SIGKILL});
}

void kill_mold_of(const Slot& slot, const Turn& turn) {
  Mold* mold = turn.world.find_mold(slot.generation());
  if (mold == nullptr) return;
  if (mold->why.empty() && !slot.why().empty()) mold->why = "it did not fork a worker: " + slot.why();
  kill_mold(*mold, turn);
}

}  // namespace serval::supervisor
