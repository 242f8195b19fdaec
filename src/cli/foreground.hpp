#pragma once

#include <string_view>

#include "config/config.hpp"
#include "config/loaded.hpp"
#include "os/spawn.hpp"

/// One-off processes that belong to the terminal of whoever has asked for them.
namespace serval::cli {

/// The exit code of what cannot be started, as a shell has it.
inline constexpr int kCannotStart = 127;

/// The app as a program: what its workers have.
config::Program app_as_program(const config::Loaded& loaded);

/// Starts it and waits for its end. Signals are passed on, but those that the terminal sends to both. Returns its exit
/// code, or 128 and the number of the signal that has ended it.
int run_in_foreground(std::string_view command, const os::Spawn& what);

}  // namespace serval::cli
