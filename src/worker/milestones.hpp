#pragma once

#include "base/time.hpp"

namespace serval::worker {

/// When a request got how far; a step that was never reached has the default.
struct Milestones {
  TimePoint first_byte;
  TimePoint head_complete;  ///< default: with the rest of the request
  TimePoint complete;
  TimePoint started;  ///< the handler
  TimePoint handled;
  TimePoint end;
};

}  // namespace serval::worker
