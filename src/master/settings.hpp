#pragma once

#include "config/config.hpp"
#include "supervisor/settings.hpp"

namespace serval::master {

/// What the supervisor is told of a configuration and of the service manager. `workers`: how many; 0: as many as
/// there are.
supervisor::Settings settings_of(const config::Config& config, int workers);

}  // namespace serval::master
