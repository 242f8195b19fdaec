#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cause_table.hpp"
#include "base/readiness.hpp"
#include "supervisor/generation_states.hpp"
#include "supervisor/mold.hpp"
#include "supervisor/program_state.hpp"
#include "supervisor/slot.hpp"
#include "supervisor/state.hpp"

namespace serval::supervisor {

/// What status shows; plain values.
struct Snapshot {
  struct Worker {
    int slot;                   ///< its number; one that leaves has it together with its successor
    int seat;                   ///< on the scoreboard
    int generation;
    pid_t pid;
    SlotState state;
    Cause cause;                ///< for which it is going or due
    bool at_door = false;       ///< it is going, but may still accept requests
    bool hangs = false;         ///< it has been silent for so long that replacing it has not helped
    TimePoint started;
    TimePoint deadline;         ///< when its state must have ended; of a cooling one: when it is started again
    int crashes_in_a_row;
  };
  std::vector<Worker> workers;  ///< all slots, by seat
  std::vector<GenerationLife> generations;  ///< by number
  int generation = 0;
  MoldState mold = MoldState::absent;
  pid_t mold_pid = 0;
  int wanted = 0;               ///< workers, as configured or scaled since
  bool booting = false;         ///< no worker has been ready yet
  bool stopping = false;        ///< asked to; it may serve on for shutdown.delay
  bool reopening = false;  ///< a process has not swapped its logs yet
  bool paused = false;     ///< no request begins
  int in_progress = 0;     ///< workers that have not said yet that they have none left; only while paused
  Readiness readiness;     ///< as far as it is decided here: what the app and the drain file say, workers know
  ReloadCounts reloads;
  std::vector<ProgramGroupRecord> programs;  ///< by name
  bool has_app = true;
  std::map<Cause, std::uint64_t> ended;  ///< workers that have ended, by cause
};

}  // namespace serval::supervisor
