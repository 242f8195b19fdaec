#include "cli/help.hpp"

#include <algorithm>
#include <iostream>

#include "base/exit_code.hpp"
#include "base/signal_table.hpp"
#include "base/text.hpp"
#include "cli/bodies.hpp"
#include "cli/usage.hpp"
#include "config/document.hpp"

namespace serval::cli {
namespace {

/// From where on explanations stand.
constexpr std::size_t kCommandWidth = 31;
constexpr std::size_t kFlagWidth = 28;
constexpr std::size_t kSignalWidth = 6;

std::string usage_of(const Subcommand& command) {
  std::string usage = "serval " + std::string(command.name);
  const std::string arguments = command.arguments.empty() ? "" : " " + std::string(command.arguments);
  if (!command.is_prefix) usage += arguments;
  for (const FlagRow& row : flag_table()) {
    if (!command.flags.has(row.flag) || !row.level.empty()) continue;
    usage += " [" + short_form(row) + (row.placeholder.empty() ? "" : " ") + std::string(row.placeholder) + "]";
  }
  if (command.takes_config()) usage += " [flags]";
  return command.is_prefix ? usage + arguments : usage;
}

std::string sentence(std::string_view text) {
  std::string out(text);
  if (out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out + ".";
}

}  // namespace

std::string help_of_serval() {
  std::string text =
      "serval serves native apps: shared libraries behind a preloading, supervising\nHTTP server.\n\nCommands:\n";
  for (const auto& command : commands()) {
    if (command.hidden) continue;
    const std::string usage = "serval " + std::string(command.name) + " " + std::string(command.arguments);
    text += help_row("  " + usage, kCommandWidth, command.summary);
  }
  return text +
         "\nserval help COMMAND explains a command and its flags, serval help signals\n"
         "what each signal does. The configuration file is described in serval.toml(5).\n";
}

std::string help_of(const Subcommand& command) {
  std::string text = "Usage: " + wrapped(usage_of(command), kTerminalColumns, 7) + "\n\n" +
                     wrapped(sentence(command.summary) + " " + std::string(command.more), kTerminalColumns) + '\n';
  const auto rows = flag_table();
  const bool any =
      std::any_of(rows.begin(), rows.end(), [&](const FlagRow& row) { return command.flags.has(row.flag); });
  if (!any) return text;
  text += "\nFlags:\n";
  // Those that only few commands have come first.
  constexpr Flags kShared = kServerFlags | kConfigFlags;
  for (const bool shared : {false, true}) {
    for (const FlagRow& row : flag_table()) {
      if (!command.flags.has(row.flag) || kShared.has(row.flag) != shared) continue;
      text += help_row((row.short_name == 0 ? "      " : "  ") + all_forms(row), kFlagWidth, row.summary);
    }
  }
  if (command.takes_server()) text += '\n' + wrapped(kWhichServer, kTerminalColumns) + '\n';
  if (!command.takes_config()) return text;
  text +=
      "\nOptions of the configuration (flags win over SERVAL_* variables, those over the\nfile; repeat a flag for each "
      "item of a list):\n";
  return text + config::help_of_flags();
}

std::string help_of_signals() {
  std::string text = "Signals to the master, and what they mean elsewhere:\n";
  for (const auto& signal : kSignalTable) {
    text += '\n' + help_row(signal.name, kSignalWidth, sentence(signal.meaning));
    const std::string elsewhere = "Puma: " + std::string(signal.puma) + "; Unicorn: " + std::string(signal.unicorn) +
                                  "; Gunicorn: " + std::string(signal.gunicorn) +
                                  "; nginx: " + std::string(signal.nginx);
    text += help_row("", kSignalWidth, elsewhere);
  }
  return text +
         "\nA worker that gets TERM or INT from another process than the master drains and\nis replaced; it ignores "
         "HUP and USR2.\n";
}

int help(const Invocation& invocation) {
  if (invocation.words.empty()) {
    std::cout << help_of_serval();
    return exit_code::ok;
  }
  const auto& topic = invocation.words.front();
  if (topic == "signals") {
    std::cout << help_of_signals();
    return exit_code::ok;
  }
  const auto* command = find_command(topic);
  if (!command) return usage_error("help", "there is no command " + quoted(topic), "serval help lists the commands");
  std::cout << help_of(*command);
  return exit_code::ok;
}

}  // namespace serval::cli
