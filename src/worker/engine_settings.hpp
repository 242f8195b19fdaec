#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "server/settings.hpp"

namespace serval::worker {

/// The [request] section as the engine goes by it. The error names what cannot be understood in request.trusted_proxies; a configuration that was
/// validated has nothing of the kind.
Result<server::Settings> engine_settings(const config::Request& request);

}  // namespace serval::worker
