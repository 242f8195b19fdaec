#include "cli/help.hpp"

#include <algorithm>
#include <iostream>

#include "base/exit_code.hpp"
#include "base/signal_table.hpp"
#include "base/text.hpp"
#include "cli/usage.hpp"
#include "config/document.hpp"

namespace serval::cli {
namespace {

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, text.size()), ' ');
  return out;
}

std::string usage_of(const Command& command) {
  std::string usage = "serval " + std::string(command.name);
  if (!command.arguments.empty()) usage += " " + std::string(command.arguments);
  if (command.takes_json) usage += " [--json]";
  if (command.takes_now) usage += " [--now]";
  if (command.takes_ready) usage += " [--ready]";
  if (command.takes_timeout) usage += " [--timeout DURATION]";
  if (command.takes_config || command.takes_server) usage += " [-c FILE]";
  if (command.takes_server) usage += " [--socket PATH]";
  if (command.takes_origin) usage += " [--origin] [--show-secrets]";
  if (command.takes_config) usage += " [flags]";
  return usage;
}

std::string sentence(std::string_view text) {
  std::string out(text);
  if (out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out + ".";
}

// Running text in lines of at most 100 columns.
std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (const auto word : split(text, ' ')) {
    if (column > 0 && column + 1 + word.size() > 100) {
      out += '\n';
      column = 0;
    }
    out += (column > 0 ? " " : "") + std::string(word);
    column += word.size() + (column > 0 ? 1 : 0);
  }
  return out + '\n';
}

}  // namespace

std::string help_of_serval() {
  std::string text = "serval serves native apps: shared libraries behind a preloading, supervising HTTP server.\n\nCommands:\n";
  for (const auto& command : commands()) {
    if (command.hidden) continue;
    const std::string usage = "serval " + std::string(command.name) + " " + std::string(command.arguments);
    text += "  " + padded(usage, 34) + std::string(command.summary) + '\n';
  }
  return text + "\nserval help COMMAND explains a command and its flags, serval help signals what each signal does.\n"
                "The configuration file is described in serval.toml(5).\n";
}

std::string help_of(const Command& command) {
  std::string text = "Usage: " + usage_of(command) + "\n\n" + wrapped(sentence(command.summary) + " " + std::string(command.more));
  if (!command.takes_config && !command.takes_server) return text;
  text += "\nFlags:\n";
  const auto row = [&](const Flag& flag) {
    const std::string_view indent = flag.names.starts_with("--") ? "      " : "  ";
    text += padded(std::string(indent) + std::string(flag.names), 46) + std::string(flag.summary) + '\n';
  };
  if (command.takes_origin) row(kOriginFlag);
  if (command.takes_origin) row(kSecretsFlag);
  if (command.takes_json) row(kJsonFlag);
  if (command.takes_now) row(kNowFlag);
  if (command.takes_ready) row(kReadyFlag);
  if (command.takes_timeout) row(kTimeoutFlag);
  for (const auto& flag : command.takes_server ? server_flags() : config_flags()) row(flag);
  if (!command.takes_config) return text;
  text += "\nOptions of the configuration (flags win over SERVAL_* variables, those over the file; repeat a flag for each item of a list):\n";
  return text + config::help_of_flags();
}

std::string help_of_signals() {
  std::string text = "Signals to the master, and what they mean elsewhere:\n\n";
  const auto row = [&](std::string_view name, std::string_view puma, std::string_view unicorn, std::string_view gunicorn, std::string_view nginx,
                       std::string_view serval) {
    text += padded(name, 6) + padded(puma, 22) + padded(unicorn, 20) + padded(gunicorn, 20) + padded(nginx, 20) + std::string(serval) + '\n';
  };
  row("", "Puma", "Unicorn", "Gunicorn", "nginx", "serval");
  for (const auto& signal : kSignalTable) row(signal.name, signal.puma, signal.unicorn, signal.gunicorn, signal.nginx, signal.meaning);
  return text + "\nA worker that gets TERM or INT from somebody else drains and is replaced; it ignores HUP and USR2.\n";
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
