#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

namespace serval::mold {

/// Loads and preloads the app as `serval run` would, in a mold of its own that is gone when this returns. The error is
/// that of the mold: one line. Takes at most workers.boot_timeout. What the app prints appears on our standard output
/// and error.
/// Returns the tasks that it registers.
Result<std::vector<std::string>> try_load(const config::Config& config);

}  // namespace serval::mold
