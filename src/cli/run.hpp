#pragma once

#include "config/load.hpp"

namespace serval::cli {

/// The body of `serval run`: the master, in the foreground, until it is told to stop. `loaded` has no problems; a reload reads
/// `sources` again. Returns the exit code.
int run_server(const config::Loaded& loaded, const config::Sources& sources);

}  // namespace serval::cli
