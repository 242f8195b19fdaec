#include "cli/bodies.hpp"

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/cause_table.hpp"
#include "base/exit_code.hpp"
#include "base/signal_table.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/usage.hpp"
#include "config/document.hpp"

namespace serval::cli {
namespace {

std::string capitalised(std::string_view text) {
  std::string out(text);
  if (out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

/// What may stand behind a command's name, each a call of macros (mdoc(7)).
std::vector<std::string> man_arguments(const Command& command) {
  std::vector<std::string> arguments;
  if (!command.arguments.empty()) arguments.push_back("Ar " + std::string(command.arguments));
  if (command.takes_json) arguments.emplace_back("Op Fl -json");
  if (command.takes_now) arguments.emplace_back("Op Fl -now");
  if (command.takes_ready) arguments.emplace_back("Op Fl -ready");
  if (command.takes_timeout) arguments.emplace_back("Op Fl -timeout Ar DURATION");
  if (command.takes_config || command.takes_server) arguments.emplace_back("Op Fl c Ar FILE");
  if (command.takes_server) arguments.emplace_back("Op Fl -socket Ar PATH");
  if (command.takes_server) arguments.emplace_back("Op Fl -name Ar NAME");
  if (command.takes_origin) arguments.emplace_back("Op Fl -origin");
  if (command.takes_origin) arguments.emplace_back("Op Fl -show-secrets");
  if (command.takes_config) arguments.emplace_back("Op Ar flags");
  return arguments;
}

std::string man_of_synopsis() {
  std::string text;
  for (const auto& command : commands()) {
    if (command.hidden) continue;
    text += ".Nm\n.Cm " + std::string(command.name) + '\n';
    for (const auto& argument : man_arguments(command)) text += '.' + argument + '\n';
  }
  return text;
}

std::string man_of_commands() {
  std::string text = ".Bl -tag -width Ds\n";
  for (const auto& command : commands()) {
    if (command.hidden) continue;
    text += ".It Nm Cm " + std::string(command.name);
    // Op takes the rest of its line; within one that goes on, Oo and Oc do the same (mdoc(7)).
    for (const auto& argument : man_arguments(command)) text += argument.starts_with("Op ") ? " Oo " + argument.substr(3) + " Oc" : " " + argument;
    text += '\n' + config::man_text(capitalised(command.summary) + ".");
    if (!command.more.empty()) text += config::man_text(command.more);
  }
  return text + ".El\n";
}

std::string man_of_flags() {
  std::string text = ".Bl -tag -width Ds\n";
  for (const auto& flag : config_flags()) text += ".It Li " + std::string(flag.names) + '\n' + config::man_text(flag.summary);
  return text + ".El\n";
}

std::string man_of_server_flags() {
  std::string text = ".Bl -tag -width Ds\n";
  for (const auto& flag : server_flags()) text += ".It Li " + std::string(flag.names) + '\n' + config::man_text(flag.summary);
  for (const Flag& flag : {kJsonFlag, kNowFlag, kReadyFlag, kTimeoutFlag}) text += ".It Li " + std::string(flag.names) + '\n' + config::man_text(flag.summary);
  return text + ".El\n";
}

std::string man_of_signals() {
  std::string text = ".Bl -tag -width \"USR1\"\n";
  for (const auto& signal : kSignalTable) {
    text += ".It Dv " + std::string(signal.name) + '\n' + config::man_text(signal.meaning);
    text += "(Puma: " + std::string(signal.puma) + "; Unicorn: " + std::string(signal.unicorn) + "; Gunicorn: " + std::string(signal.gunicorn) +
            "; nginx: " + std::string(signal.nginx) + ".)\n";
  }
  return text + ".El\n";
}

std::string man_of_causes() {
  std::string text = ".Bl -tag -width Ds -compact\n";
  for (const auto& row : kCauseTable) {
    if (row.cause != Cause::none) text += ".It Li " + std::string(row.name) + '\n' + config::man_text(capitalised(row.meaning) + ".");
  }
  return text + ".El\n";
}

std::string man_of_exit_codes() {
  std::string text = ".Bl -tag -width \"00\" -compact\n";
  for (const auto& row : exit_code::kTable) text += ".It Li " + std::to_string(row.code) + '\n' + config::man_text(row.meaning);
  return text + ".El\n";
}

// A line of a template that is replaced as a whole.
struct Part {
  std::string_view name;
  std::string (*make)();
};

constexpr Part kParts[] = {
    {"@VERSION@", [] { return std::string(".Os serval " SERVAL_VERSION "\n"); }},
    {"@SYNOPSIS@", man_of_synopsis},
    {"@COMMANDS@", man_of_commands},
    {"@FLAGS@", man_of_flags},
    {"@SERVER_FLAGS@", man_of_server_flags},
    {"@SIGNALS@", man_of_signals},
    {"@CAUSES@", man_of_causes},
    {"@EXIT_CODES@", man_of_exit_codes},
    {"@OPTIONS@", config::man_of_options},
    {"@ACCESS_ATOMS@", config::man_of_access_atoms},
    {"@RESERVED@", config::man_of_reserved_names},
};

std::string filled(std::string_view line) {
  for (const auto& part : kParts) {
    if (line == part.name) return part.make();
  }
  return std::string(line) + '\n';
}

}  // namespace

int document(const Invocation& invocation) {
  const auto& what = invocation.words.front();
  if (what == "sample") {
    std::cout << config::sample_file();
    return exit_code::ok;
  }
  if (what != "man" || invocation.words.size() != 2) return usage_error("document", "expected sample, or man TEMPLATE", "see man/CMakeLists.txt");
  std::ifstream file(invocation.words[1]);
  if (!file) return usage_error("document", "cannot read the template " + quoted(invocation.words[1]), "name a file that exists");
  std::string line;
  while (std::getline(file, line)) std::cout << filled(line);
  return exit_code::ok;
}

}  // namespace serval::cli
