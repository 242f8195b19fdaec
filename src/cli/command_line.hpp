#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli/commands.hpp"

namespace serval::cli {

/// Why a command line was not understood.
struct Misuse {
  std::string what;
  std::string hint;
};

/// -h or --help was given.
struct HelpWanted {};

/// Reads the arguments that follow the command's name. Without -c, serval.toml in the working directory is used if
/// there is one.
std::variant<Invocation, HelpWanted, Misuse> read_command_line(const Subcommand& command,
                                                               std::vector<std::string> arguments,
                                                               config::Environment environment,
                                                               std::string working_directory);

}  // namespace serval::cli
