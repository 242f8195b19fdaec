#include "cli/cli.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/usage.hpp"
#include "config/peer_words.hpp"
#include "os/working_directory.hpp"

namespace serval::cli {
namespace {

// What stands in the place of the command; the spellings that every program understands are commands too.
std::string_view command_name(std::string_view word) {
  if (word == "-h" || word == "--help") return "help";
  if (word == "-V" || word == "--version") return "version";
  return word;
}

int unknown_command(std::string_view name) {
  const auto later = later_commands();
  if (std::find(later.begin(), later.end(), name) != later.end()) {
    return usage_error(name, "not in this version", "serval help lists the commands");
  }
  const auto what = "unknown command " + quoted(name);
  if (name.find(".so") != std::string_view::npos) {
    return usage_error("", what, "to serve an app: serval run " + std::string(name));
  }
  if (const auto hint = config::hint_for_peer_word(config::PeerWord::Place::command, name); !hint.empty()) {
    return usage_error("", what, hint);
  }
  if (name.starts_with('-')) {
    return usage_error("", what, "flags follow the command, as in serval run " + std::string(name));
  }
  const auto near = nearest_command(name);
  return usage_error("", what, near.empty() ? "serval help lists the commands" : "did you mean serval " + near + "?");
}

std::string working_directory() {
  auto path = os::working_directory();
  if (!path) throw StartupError(exit_code::internal, path.error());
  return std::move(*path);
}

int perform(const Subcommand& command, std::vector<std::string> arguments) {
  const bool needs_folder = command.takes_file();
  const auto line = read_command_line(command, std::move(arguments), config::process_environment(),
                                      needs_folder ? working_directory() : "");
  if (const auto* misuse = std::get_if<Misuse>(&line)) return usage_error(command.name, misuse->what, misuse->hint);
  if (std::holds_alternative<HelpWanted>(line)) {
    std::cout << help_of(command);
    return exit_code::ok;
  }
  return command.run(std::get<Invocation>(line));
}

/// Why standard output does not take what was printed; empty: it has all of it. A stream remembers that an earlier
/// write has failed, but not why: one byte more shows it.
std::string why_not_written() {
  std::cout.flush();
  if (std::fflush(stdout) != 0) return errno_text();
  if (std::cout && std::ferror(stdout) == 0) return {};
  return ::write(STDOUT_FILENO, "\n", 1) < 0 ? errno_text() : "a part of the output is lost";
}

/// What a command has printed is its result: one whose output did not get out has not succeeded. The one place that
/// looks, for all commands.
int code_once_written(const Subcommand& command, int code) {
  if (code != exit_code::ok || command.is_app_output) return code;
  const std::string why = why_not_written();
  if (why.empty()) return code;
  std::cerr << "serval " << command.name << ": standard output: " << why << '\n';
  return exit_code::app_failed;
}

}  // namespace

int run_cli(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << help_of_serval();
    return exit_code::usage;
  }
  const auto name = command_name(argv[1]);
  const auto* command = find_command(name);
  if (command == nullptr) return unknown_command(name);
  return code_once_written(*command, perform(*command, {argv + 2, argv + argc}));
}

}  // namespace serval::cli
