#pragma once

#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// What follows when the deadline of a worker's state, or of a mold's, has passed. After every event.
void enforce_deadlines(const Turn& turn);

/// The next one; max(): there is none. Not of a slot that has cooled: that one waits for a fork.
TimePoint next_deadline(const World& world, TimePoint now);

}  // namespace serval::supervisor
