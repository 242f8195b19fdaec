#pragma once

#include "base/result.hpp"
#include "config/load.hpp"
#include "master/handover.hpp"

namespace serval::master {

/// Becomes the master: opens what must be opened once, then supervises until it is told to stop. `loaded` has no
/// problems; for a reload `sources` are read again. `watch`:
/// each rebuild of what runs is a reason for one. Returns the exit code; throws StartupError if the world is not as
/// it must be. The process has one thread.
int start(const config::Loaded& loaded, const config::Sources& sources, bool watch);

/// The check before an upgrade: whether adopt() could go on from there. Nothing is touched; of the descriptors only the
/// scoreboard's is there.
Result<void> check_adoption(const Handover& handover);

/// Becomes the master that `handover` tells of, in whose process this is after an exec: everything that runs goes on.
/// Returns and throws as start().
int adopt(const Handover& handover, const config::Sources& sources, bool watch);

}  // namespace serval::master
