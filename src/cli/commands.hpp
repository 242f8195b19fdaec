#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/invocation.hpp"

namespace serval::cli {

/// One subcommand. Dispatch, usage errors, help and the manual are made from this table.
struct Command {
  std::string_view name;
  std::string_view arguments;      ///< as the usage line shows them
  std::size_t least_words = 0;
  std::size_t most_words = 0;
  bool takes_config = false;       ///< -c, the flags of all options, and (as a first word) the app's library
  bool takes_origin = false;       ///< --origin and --show-secrets
  bool takes_server = false;       ///< -c, --socket and --name: which running server is meant
  bool takes_json = false;
  bool takes_now = false;
  bool takes_ready = false;
  bool takes_timeout = false;
  bool hidden = false;
  std::string_view summary;        ///< one line, starts lower case, no full stop
  std::string_view more;           ///< sentences for help and manual
  int (*run)(const Invocation&);
};

std::span<const Command> commands();
const Command* find_command(std::string_view name);
/// What is near to a word that is no command; empty if nothing is.
std::string nearest_command(std::string_view name);

/// Commands whose names are taken for later versions.
std::span<const std::string_view> later_commands();

/// Flags besides those of the option table.
struct Flag {
  std::string_view names;
  std::string_view summary;
};
std::span<const Flag> config_flags();
/// Of commands that talk to a running server.
std::span<const Flag> server_flags();
/// What help says below them.
inline constexpr std::string_view kWhichServer =
    "Without any of these, status and healthcheck ask the only server that has a socket where sockets are by default; all other commands refuse.";
inline constexpr Flag kOriginFlag = {"--origin", "say where each value came from"};
inline constexpr Flag kSecretsFlag = {"--show-secrets", "print the values of app.args and app.env as well"};
inline constexpr Flag kNowFlag = {"--now", "do not wait for requests in flight"};
inline constexpr Flag kReadyFlag = {"--ready", "ask whether traffic may be sent to it, instead of whether it lives"};
inline constexpr Flag kTimeoutFlag = {"--timeout DURATION", "how long to wait for the server's answer"};
inline constexpr Flag kJsonFlag = {"--json", "print the answer as it came, a JSON object in one line"};

}  // namespace serval::cli
