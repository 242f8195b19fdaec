#pragma once

#include <functional>

#include "config/load.hpp"

namespace serval::master {

/// Becomes the master: opens what must be opened once, then supervises until it is told to stop. `config` is valid, its paths are absolute;
/// `read_again` reads it anew for a reload.
/// Returns the exit code; throws StartupError if the world is not as it must be. The process has one thread.
int start(const config::Config& config, std::function<config::Loaded()> read_again);

}  // namespace serval::master
