#include "cli/bodies.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "admin/metric_table.hpp"
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
std::vector<std::string> man_arguments(const Subcommand& command) {
  std::vector<std::string> arguments;
  const std::string words = command.arguments.empty() ? "" : "Ar " + std::string(command.arguments);
  if (!words.empty() && !command.is_prefix) arguments.push_back(words);
  for (const FlagRow& row : flag_table()) {
    if (!command.flags.has(row.flag) || !row.level.empty()) continue;
    const std::string value = row.placeholder.empty() ? "" : " Ar " + std::string(row.placeholder);
    arguments.push_back("Op Fl " + short_form(row).substr(1) + value);
  }
  if (command.takes_config()) arguments.emplace_back("Op Ar flags");
  if (!words.empty() && command.is_prefix) arguments.push_back(words);
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
    for (const auto& argument : man_arguments(command)) {
      text += argument.starts_with("Op ") ? " Oo " + argument.substr(3) + " Oc" : " " + argument;
    }
    text += '\n' + config::man_text(capitalised(command.summary) + ".");
    if (!command.more.empty()) text += config::man_text(command.more);
  }
  return text + ".El\n";
}

std::string man_of(Flags flags) {
  std::string text;
  for (const FlagRow& row : flag_table()) {
    if (flags.has(row.flag)) text += ".It Li " + all_forms(row) + '\n' + config::man_text(row.summary);
  }
  return text;
}

std::string man_of_flags() { return ".Bl -tag -width Ds\n" + man_of(kConfigFlags) + ".El\n"; }

/// Those that name a server, and then those that only some of its commands have.
std::string man_of_server_flags() {
  Flags others;
  for (const FlagRow& row : flag_table()) {
    const bool taken = std::any_of(commands().begin(), commands().end(), [&](const Subcommand& command) {
      return command.takes_server() && command.flags.has(row.flag);
    });
    if (taken && !kServerFlags.has(row.flag)) others = others | row.flag;
  }
  return ".Bl -tag -width Ds\n" + man_of(kServerFlags) + man_of(others) + ".El\n";
}

std::string man_of_signals() {
  std::string text = ".Bl -tag -width \"USR1\"\n";
  for (const auto& signal : kSignalTable) {
    text += ".It Dv " + std::string(signal.name) + '\n' + config::man_text(signal.meaning);
    text += "(Puma: " + std::string(signal.puma) + "; Unicorn: " + std::string(signal.unicorn) +
            "; Gunicorn: " + std::string(signal.gunicorn) + "; nginx: " + std::string(signal.nginx) + ".)\n";
  }
  return text + ".El\n";
}

std::string man_of_causes() {
  std::string text = ".Bl -tag -width Ds -compact\n";
  for (const auto& row : kCauseTable) {
    if (row.cause != Cause::none) {
      text += ".It Li " + std::string(row.name) + '\n' + config::man_text(capitalised(row.meaning) + ".");
    }
  }
  return text + ".El\n";
}

/// As the text format shows them.
std::string man_of_metrics() {
  std::string text = ".Bl -tag -width Ds -compact\n";
  for (const auto& row : admin::kMetrics) {
    const std::string suffix = row.type == admin::MetricType::counter ? "_total" : row.type == admin::MetricType::info ? "_info" : "";
    const std::string labels = row.labels.empty() ? "" : "{" + std::string(row.labels) + "}";
    const std::string_view kind = row.type == admin::MetricType::histogram ? " (histogram)." : ".";
    text += ".It Li " + std::string(row.name) + suffix + labels + '\n' +
            config::man_text(capitalised(row.help) + std::string(kind));
  }
  return text + ".El\n";
}

std::string man_of_exit_codes() {
  std::string text = ".Bl -tag -width \"00\" -compact\n";
  for (const auto& row : exit_code::kTable) {
    text += ".It Li " + std::to_string(row.code) + '\n' + config::man_text(row.meaning);
  }
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
    {"@METRICS@", man_of_metrics},
    {"@EXIT_CODES@", man_of_exit_codes},
    {"@OPTIONS@", config::man_of_options},
    {"@ACCESS_ATOMS@", config::man_of_access_atoms},
    {"@LOG_KEYS@", config::man_of_log_keys},
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
  if (what != "man" || invocation.words.size() != 2) {
    return usage_error("document", "expected sample, or man TEMPLATE", "see man/CMakeLists.txt");
  }
  std::ifstream file(invocation.words[1]);
  if (!file) {
    return usage_error("document", "cannot read the template " + quoted(invocation.words[1]),
                       "name a file that exists");
  }
  std::string line;
  while (std::getline(file, line)) std::cout << filled(line);
  return exit_code::ok;
}

}  // namespace serval::cli
