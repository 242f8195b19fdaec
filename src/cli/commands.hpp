#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/flags.hpp"
#include "cli/invocation.hpp"

namespace serval::cli {

/// One subcommand. Dispatch, usage errors, help and the manual are made from this table.
struct Subcommand {
  std::string_view name;
  std::string_view arguments;      ///< as the usage line shows them
  std::size_t min_words = 0;
  std::size_t max_words = 0;
  std::string_view word{};         ///< what the first word is, if a request is made of it (cli/request): "slot"
  std::string_view word_hint{};    ///< for one that is no such thing
  Flags flags{};
  bool hidden = false;
  bool is_prefix = false;          ///< of a command line: from its first word on, nothing is a flag of ours
  bool is_app_output = false;      ///< what gets to its standard output is the app's, not its own result
  std::string_view summary;        ///< one line, starts lower case, no full stop
  std::string_view more;           ///< sentences for help and manual
  int (*run)(const Invocation&);   ///< its body (cli/bodies.hpp)

  constexpr bool takes_config() const { return flags.has(Flag::config); }
  constexpr bool takes_server() const { return flags.has(Flag::socket); }
  /// Whichever of the two -c it is.
  constexpr bool takes_file() const { return takes_config() || flags.has(Flag::server_config); }
};

std::span<const Subcommand> commands();
const Subcommand* find_command(std::string_view name);
/// What is near to a word that is no command; empty if nothing is.
std::string nearest_command(std::string_view name);

/// Commands whose names are taken for later versions.
std::span<const std::string_view> later_commands();

}  // namespace serval::cli
