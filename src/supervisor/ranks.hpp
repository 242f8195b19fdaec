#pragma once

#include "supervisor/events.hpp"
#include "supervisor/turn.hpp"

/// The number of workers, when it is changed, and that their slots are numbered from 0 without a gap.
namespace serval::supervisor::ranks {

void on(const ScaleRequested& event, const Turn& turn);

/// After every event while the server runs: those that are too many go. First those that only wait to be started, then
/// those that boot, then those that serve and have to go anyway, then the others; the highest slots first.
void retire_surplus(const Turn& turn);
/// Likewise: those with higher numbers than there are to be, since others than the highest ones have left.
void close(const Turn& turn);

}  // namespace serval::supervisor::ranks
