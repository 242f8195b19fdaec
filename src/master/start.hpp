#pragma once

#include "config/config.hpp"

namespace serval::master {

/// Becomes the master: opens what must be opened once, then supervises until it is told to stop. `config` is valid, its paths are absolute.
/// Returns the exit code; throws StartupError if the world is not as it must be. The process has one thread.
int start(const config::Config& config);

}  // namespace serval::master
