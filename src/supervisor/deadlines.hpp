#pragma once

#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// What follows when the deadline of a worker's state, or of a mold's, has passed. After every event.
void enforce_deadlines(const Turn& turn);

/// When the next worker or mold has to be looked at for its own sake: a deadline, an age, the end of a wait at the door;
/// max(): none has to. Not a slot that has cooled: that one waits for a fork. One walk for all of it, since this is
/// asked after every event.
TimePoint next_deadline(const World& world, TimePoint now);

}  // namespace serval::supervisor
