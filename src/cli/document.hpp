#pragma once

#include "cli/commands.hpp"

namespace serval::cli {

/// The body of the hidden `serval document sample | man TEMPLATE`: the sample file, or a manual page whose lines @NAME@ are filled
/// in from the tables.
int document(const Invocation& invocation);

}  // namespace serval::cli
