#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/invocation.hpp"

/// The flags of the subcommands, but for those of the configuration's options (config/options.hpp). One table: parser,
/// usage lines, help and manual are made from it.
namespace serval::cli {

/// In the order of usage lines. `-c` is two flags: of a configuration to read, and of a server to find.
enum class Flag : unsigned {
  json,
  now,
  ready,
  timeout,
  seconds,
  cpu,
  hz,
  all,
  output,
  follow,
  lines,
  worker,
  program,
  level,
  grep,
  from_procfile,
  from_pm2,
  env,
  server_config,
  socket,
  name,
  config,
  watch,
  origin,
  show_secrets,
  quiet,
  verbose
};

/// A set of them.
class Flags {
 public:
  constexpr Flags() = default;
  constexpr Flags(Flag flag) : bits_(1u << static_cast<unsigned>(flag)) {}  // NOLINT: a flag is a set of one
  constexpr bool has(Flag flag) const { return (bits_ & Flags(flag).bits_) != 0; }
  friend constexpr Flags operator|(Flags a, Flags b) {
    a.bits_ |= b.bits_;
    return a;
  }

 private:
  unsigned bits_ = 0;
};
constexpr Flags operator|(Flag a, Flag b) { return Flags(a) | Flags(b); }

/// Which running server is meant.
inline constexpr Flags kServerFlags = Flag::server_config | Flag::socket | Flag::name;
/// A configuration; the flags of all options come with them, and (as a first word) the app's library.
inline constexpr Flags kConfigFlags = Flag::config | Flag::quiet | Flag::verbose;

struct FlagRow {
  Flag flag;
  char short_name = 0;                        ///< 0: none
  std::string_view long_name{};               ///< without its dashes; empty: none
  std::string_view placeholder{};             ///< of its value; empty: it has none
  std::string_view summary;
  std::string_view not_empty{};               ///< what its value must hold, "a path"; empty: it may be empty
  std::string_view once{};                    ///< what to do instead of giving its value twice
  bool Invocation::*given = nullptr;          ///< where it goes; with neither, into Invocation::sources
  std::string Invocation::*value = nullptr;
  std::string_view level{};                   ///< the log.level that it stands for; help shows it beside the options
};

/// In the order of the enum.
std::span<const FlagRow> flag_table();

/// "-c" or "--json": as usage lines and errors call it.
std::string short_form(const FlagRow& row);
/// "--config" or "-q": as the nearest flag to a misspelt one.
std::string long_form(const FlagRow& row);
/// "-c, --config FILE": as lists of flags show it.
std::string all_forms(const FlagRow& row);

/// What help says below the flags that name a server.
inline constexpr std::string_view kWhichServer =
    "Without any of these, status, healthcheck and logs ask the only server that has a socket where sockets are by default; "
    "all other commands refuse.";

}  // namespace serval::cli
