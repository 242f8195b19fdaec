#pragma once

#include <variant>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/invocation.hpp"
#include "control/commands.hpp"
#include "control/protocol.hpp"

namespace serval::cli {

/// What to send to a running server for this command line: `order` says which words and flags its arguments are made
/// of. Pure.
std::variant<control::Request, Misuse> make_request(const Subcommand& command, const control::Command& order,
                                                    const Invocation& invocation);

}  // namespace serval::cli
