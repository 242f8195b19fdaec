#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "control/protocol.hpp"

/// What a running server can be told over the control socket. One table: the server refuses what is not in it, and the master says what each
/// does (Server::serve).
namespace serval::control {

enum class ArgumentKind { boolean, integer, text };
std::string_view name_of(ArgumentKind kind);

struct Argument {
  std::string_view name;
  ArgumentKind kind;
  bool required = false;
  std::int64_t least = 0;  ///< of an integer
  std::int64_t most = 0;   ///< likewise
};

struct Command {
  std::string_view name;
  std::span<const Argument> arguments{};
  bool only_looks = false;  ///< neither the server nor the app notices it: it may go to a server that nobody has named
};

std::span<const Command> commands();
const Command* find_command(std::string_view name);

/// Whether the arguments are those of the command, each of its kind; the error names the first that is not.
Result<void> check_arguments(const Command& command, const json::object& arguments);

}  // namespace serval::control
