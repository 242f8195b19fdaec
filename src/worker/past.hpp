#pragma once

#include "base/time.hpp"
#include "ipc/lobby.hpp"

namespace serval::worker {

/// Of a connection that another worker has served before.
struct Past {
  TimePoint accepted;
  TimePoint last_activity;
  int requests = 0;
  bool untouched = false;  ///< nothing has been read yet
};

/// What a guest claims, made such that one can calculate with it: no time lies in the future or more than a year back,
/// and no number of requests near the largest int. Pure.
Past past_of(const ipc::Guest& guest, TimePoint now);

}  // namespace serval::worker
