#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"
#include "master/listeners.hpp"

namespace serval::master {

using ProgramListeners = std::map<std::string, Listeners>;  ///< by program

/// As open_listeners(), for each program that has sockets handed over: those of `open` that any program had for the
/// same address are gone on with, so that none is closed by a reload. Files of unix sockets belong to the program's
/// user.
Result<ProgramListeners> open_program_listeners(const config::Config& config, const ProgramListeners& open,
                                                std::vector<os::NamedSocket>& passed);

}  // namespace serval::master
