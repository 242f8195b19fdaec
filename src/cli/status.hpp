#pragma once

#include "cli/commands.hpp"

namespace serval::cli {

/// The body of `serval status [--json]`.
int status(const Invocation& invocation);
/// The body of `serval stacks [SLOT] [--json]`.
int stacks(const Invocation& invocation);

}  // namespace serval::cli
