#pragma once

#include "cli/commands.hpp"

namespace serval::cli {

/// The body of `serval healthcheck [--ready]`. Returns ok or app_failed, whatever is wrong: probes know no other codes.
int healthcheck(const Invocation& invocation);

}  // namespace serval::cli
