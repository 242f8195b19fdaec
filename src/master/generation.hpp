#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"
#include "master/handover.hpp"
#include "master/listeners.hpp"
#include "master/log_files.hpp"
#include "master/program_listeners.hpp"

namespace serval::master {

/// What the processes of one generation go by. Its parts are shared with other generations that have the same.
struct Generation {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<LogFiles> logs;
  Listeners listeners;
  ProgramListeners program_listeners{};
  std::string build{};  ///< of the app's library, once a mold has loaded it (app/build_id.hpp); empty: it has none
  std::string config_file{};  ///< that was read for it, links followed; empty: none
};

using Configs = std::map<int, std::shared_ptr<const config::Config>>;  ///< by generation
using GenerationMap = std::map<int, Generation>;  ///< likewise

/// Those that an earlier version of serval had in this process. An error if a configuration has options or values that
/// are not known here.
Result<Configs> configs_of(const Handover& handover);
/// The same with log files and listeners, which are owned from here on: to be called once.
GenerationMap generations_of(const Handover& handover, const Configs& configs);

}  // namespace serval::master
