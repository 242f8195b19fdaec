#pragma once

#include "cli/commands.hpp"

namespace serval::cli {

/// The body of `serval check`.
int check(const Invocation& invocation);

}  // namespace serval::cli
