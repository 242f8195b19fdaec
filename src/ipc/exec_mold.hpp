#pragma once

#include <sys/types.h>

#include "base/result.hpp"
#include "ipc/heritage.hpp"

namespace serval::ipc {

/// Where a mold's standard streams go; borrowed. -1: where the caller's go. Its standard input is always empty.
struct StandardStreams {
  int output = -1;
  int error = -1;
};

/// Starts `serval mold FD` with everything that `heritage` names, and app.env in its environment; returns its pid.
/// All descriptors stay the caller's, and keep their numbers in the mold. `program`: the serval to run
/// (os::kOwnProgram).
Result<pid_t> exec_mold(const std::string& program, const Heritage& heritage, const StandardStreams& streams);

}  // namespace serval::ipc
