#pragma once

#include "supervisor/turn.hpp"

/// Steps of a worker towards its end, which several parts of the supervisor order.
namespace serval::supervisor {

/// It serves, and is to be replaced when it is its turn; any other worker stays as it is.
void make_due(Slot& slot, Cause cause, const Turn& turn);
/// It answers what it has and what waits, then ends.
void drain_worker(Slot& slot, Cause cause, const Turn& turn);
void kill_worker(Slot& slot, Cause cause, const Turn& turn);
/// Leaves a core where the system keeps them; writing it takes a while.
void abort_worker(Slot& slot, Cause cause, const Turn& turn);

}  // namespace serval::supervisor
