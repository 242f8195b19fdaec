#include "cli/help.hpp"

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

std::string usage_of(const Command& command) {
  std::string usage = "serval " + std::string(command.name);
  if (!command.arguments.empty()) usage += " " + std::string(command.arguments);
  if (command.takes_json) usage += " [--json]";
  if (command.takes_now) usage += " [--now]";
  if (command.takes_ready) usage += " [--ready]";
  if (command.takes_timeout) usage += " [--timeout DURATION]";
  if (command.takes_config || command.takes_server) usage += " [-c FILE]";
  if (command.takes_server) usage += " [--socket PATH] [--name NAME]";
  if (command.takes_origin) usage += " [--origin] [--show-secrets]";
  if (command.takes_config) usage += " [flags]";
  return usage;
}

std::string sentence(std::string_view text) {
  std::string out(text);
  if (out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out + ".";
}

}  // namespace

std::string help_of_serval() {
  std::string text = "serval serves native apps: shared libraries behind a preloading, supervising\nHTTP server.\n\nCommands:\n";
  for (const auto& command : commands()) {
    if (command.hidden) continue;
    const std::string usage = "serval " + std::string(command.name) + " " + std::string(command.arguments);
    text += help_row("  " + usage, kCommandWidth, command.summary);
  }
  return text + "\nserval help COMMAND explains a command and its flags, serval help signals\n"
                "what each signal does. The configuration file is described in serval.toml(5).\n";
}

std::string help_of(const Command& command) {
  std::string text = "Usage: " + wrapped(usage_of(command), kTerminalColumns, 7) + "\n\n" +
                     wrapped(sentence(command.summary) + " " + std::string(command.more), kTerminalColumns) + '\n';
  if (!command.takes_config && !command.takes_server) return text;
  text += "\nFlags:\n";
  const auto row = [&](const Flag& flag) {
    const std::string_view indent = flag.names.starts_with("--") ? "      " : "  ";
    text += help_row(std::string(indent) + std::string(flag.names), kFlagWidth, flag.summary);
  };
  if (command.takes_origin) row(kOriginFlag);
  if (command.takes_origin) row(kSecretsFlag);
  if (command.takes_json) row(kJsonFlag);
  if (command.takes_now) row(kNowFlag);
  if (command.takes_ready) row(kReadyFlag);
  if (command.takes_timeout) row(kTimeoutFlag);
  for (const auto& flag : command.takes_server ? server_flags() : config_flags()) row(flag);
  if (command.takes_server) text += '\n' + wrapped(kWhichServer, kTerminalColumns) + '\n';
  if (!command.takes_config) return text;
  text += "\nOptions of the configuration (flags win over SERVAL_* variables, those over the\nfile; repeat a flag for each item of a list):\n";
  return text + config::help_of_flags();
}

std::string help_of_signals() {
  std::string text = "Signals to the master, and what they mean elsewhere:\n";
  for (const auto& signal : kSignalTable) {
    text += '\n' + help_row(signal.name, kSignalWidth, sentence(signal.meaning));
    const std::string elsewhere = "Puma: " + std::string(signal.puma) + "; Unicorn: " + std::string(signal.unicorn) + "; Gunicorn: " +
                                  std::string(signal.gunicorn) + "; nginx: " + std::string(signal.nginx);
    text += help_row("", kSignalWidth, elsewhere);
  }
  return text + "\nA worker that gets TERM or INT from another process than the master drains and\nis replaced; it ignores HUP and USR2.\n";
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
