#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "ipc/heritage.hpp"

namespace serval::ipc {

/// Starts `program admin FD` with the heritage behind FD, /dev/null as its standard input and output, and the log, or
/// ours, as its standard error. Of our environment it gets what concerns its own work: telemetry, languages, time zone.
/// The secrets that apps find in theirs are none of its business.
Result<pid_t> exec_admin(const std::string& program, const Heritage& heritage);

}  // namespace serval::ipc
