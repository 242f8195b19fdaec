#pragma once

#include "cli/commands.hpp"

namespace serval::cli {

/// The body of `serval config [--origin]`.
int show_config(const Invocation& invocation);

}  // namespace serval::cli
