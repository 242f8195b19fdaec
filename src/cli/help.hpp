#pragma once

#include <string>

#include "cli/commands.hpp"

namespace serval::cli {

/// The list of commands; all about one command, flags included; the table of signals.
std::string help_of_serval();
std::string help_of(const Subcommand& command);
std::string help_of_signals();

}  // namespace serval::cli
