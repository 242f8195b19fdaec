#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"

namespace serval::cli {

/// A command line that has been understood.
struct Invocation {
  std::string_view command;        ///< the name of its row (cli/commands.hpp)
  std::vector<std::string> words;  ///< arguments that are not flags
  config::Sources sources;         ///< for commands that take a configuration, or talk to a server
  bool origin = false;             ///< --origin
  bool show_secrets = false;       ///< --show-secrets
  std::string socket;              ///< --socket; empty: not given
  std::string server;              ///< --name; empty: not given
  bool json = false;               ///< --json
  bool now = false;                ///< --now
  bool ready = false;              ///< --ready
  bool cpu = false;                ///< --cpu
  bool all = false;                ///< --all
  std::string seconds;             ///< --seconds; empty: not given
  std::string hz;                  ///< --hz; empty: not given
  std::string output;              ///< -o; empty: not given
  std::string timeout;             ///< --timeout; empty: not given
  bool follow = false;             ///< --follow
  std::string lines;               ///< --lines; empty: not given
  std::string worker;              ///< --worker; empty: not given
  std::string program;             ///< --program; empty: not given
  std::string level;               ///< --level; empty: not given
  bool from_procfile = false;      ///< --from-procfile
  bool from_pm2 = false;           ///< --from-pm2
  std::string environment_name;    ///< --env; empty: not given
  std::string grep;                ///< --grep; empty: not given
  bool watch = false;              ///< --watch
};

}  // namespace serval::cli
