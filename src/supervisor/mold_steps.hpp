#pragma once

#include "supervisor/turn.hpp"

/// Steps of a mold, which several parts of the supervisor order.
namespace serval::supervisor {

void start_mold(Mold& mold, const Turn& turn);
/// Once it does not fork any more, so that no worker appears unknown. One that loads serves no requests and may take
/// minutes: it is killed.
void stop_mold(Mold& mold, const Turn& turn);
void kill_mold(Mold& mold, const Turn& turn);
/// Of a worker that it has not forked in time.
void kill_mold_of(const Slot& slot, const Turn& turn);

}  // namespace serval::supervisor
