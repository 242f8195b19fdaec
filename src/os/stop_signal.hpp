#pragma once

#include <vector>

#include "base/result.hpp"

/// Signals that ask this process to stop: they set a flag and make a descriptor readable, and nothing more. One for a
/// process, since a handler knows no context.
namespace serval::os {

/// From here on. `once`: a second signal has its default effect, for a terminal whose user has lost patience. System
/// calls that they interrupt go on (SA_RESTART).
Result<void> listen_for_stop(const std::vector<int>& signals, bool once);

/// One of them has come. Any thread.
bool stop_asked();
/// Readable from then on; nobody may read it. -1: nothing is listened for.
int stop_fd();

}  // namespace serval::os
