#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "http/access_log.hpp"
#include "server/settings.hpp"

namespace serval::worker {

/// What the parts of a worker go by, made of the configuration.
struct Understood {
  server::Settings engine;  ///< the [request] section
  http::AccessFormat access_format;
};

/// The error names the option whose text cannot be understood; a configuration that was validated has nothing of the
/// kind.
Result<Understood> understand(const config::Config& config);

}  // namespace serval::worker
