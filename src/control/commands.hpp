#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "control/protocol.hpp"

/// What a running server can be told over the control socket. One table: the server refuses what is not in it, the
/// master answers by a switch over Order (master/control), and the command line makes the request from the arguments
/// (cli/request).
namespace serval::control {

enum class Order {
  status,
  reload,
  rollback,
  start,
  stop,
  scale,
  recycle,
  reopen,
  drain,
  undrain,
  pause,
  resume,
  upgrade,
  stacks,
  profile
};

enum class ArgumentKind { boolean, integer, text };
std::string_view name_of(ArgumentKind kind);

/// How a command line gives an argument.
enum class Spelling {
  none,         ///< not at all: programs do
  flag,         ///< --NAME
  word,         ///< digits
  word_or_all,  ///< digits; the word "all" stands for leaving the argument out
  change,       ///< digits with their sign: +1, -1
  value,        ///< --NAME digits
  program,      ///< a program's name: a word that no other argument takes
  program_is,   ///< a program's name before a '='; what follows is another argument
};

struct Argument {
  std::string_view name;
  ArgumentKind kind;
  Spelling spelling = Spelling::none;
  bool required = false;
  std::int64_t min = 0;      ///< of an integer
  std::int64_t max = 0;      ///< likewise
  std::int64_t example = 0;  ///< for whoever has given another
};

struct Command {
  Order order;
  std::string_view name;
  std::span<const Argument> arguments{};
  bool only_looks = false;      ///< neither the server nor the app notices it: it may go to a server that nothing names
  bool while_stopping = false;  ///< a server that is stopping does not refuse it
  /// How long a client waits for each line of the answer, if not told otherwise.
  Duration patience = std::chrono::seconds(10);
  /// Progress that is reported before the master does anything; empty: none, or it depends on what is found.
  std::string_view begun{};
  /// What the client says when it has been done, with {key} for values of the result; empty: nothing, or more than a
  /// line.
  std::string_view done{};
  /// What a client that has not had an answer in time is told; empty: nothing.
  std::string_view unanswered{};
};

/// In the order of the enum.
std::span<const Command> commands();
const Command* find_command(std::string_view name);
const Command& command_for(Order order);

/// Whether the arguments are those of the command, each of its kind; the error names the first that is not.
Result<void> check_arguments(const Command& command, const json::object& arguments);

}  // namespace serval::control
