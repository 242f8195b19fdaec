#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/loaded.hpp"
#include "os/spawn.hpp"

/// One-off processes that belong to the terminal of whoever has asked for them.
namespace serval::cli {

/// The app as a program: what its workers have.
config::Program app_as_program(const config::Loaded& loaded);

/// What both have in common: a child of this terminal with the rights, environment and folder of `program`. `named`: it
/// is told so. The error says why its rights or folder are not to be had.
Result<os::Spawn> like(const config::Program& program, const config::Server& server, const std::string& named = {});

/// Standard error is told that and why it cannot be started. Returns the exit code.
int cannot_start(std::string_view command, const std::string& why, std::string_view hint);

/// Starts it and waits for its end. Signals are passed on, but those that the terminal sends to both. Returns its exit
/// code, or 128 and the number of the signal that has ended it.
int run_in_foreground(std::string_view command, const os::Spawn& what);

}  // namespace serval::cli
