#include "cli/command_line.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "config/options.hpp"
#include "config/peer_words.hpp"

namespace serval::cli {
namespace {

constexpr const char* kDefaultFile = "serval.toml";

// What CLI11 fills in while it parses.
struct Parsed {
  std::vector<std::string> words;
  std::vector<std::string> files;
  std::map<std::string_view, std::vector<std::string>> options;  // by path
  std::vector<std::string> sockets;
  std::vector<std::string> servers;
  std::string timeout;
  bool help = false, quiet = false, verbose = false, origin = false, show_secrets = false, json = false, now = false, ready = false;
  bool takes_library = false;  // the first word is the app's
};

std::string flag_names(const config::Option& option) {
  const auto name = "--" + std::string(option.path);
  return option.short_flag == 0 ? name : "-" + std::string(1, option.short_flag) + "," + name;
}

void declare(CLI::App& app, const Command& command, Parsed& parsed) {
  app.set_help_flag();  // help is printed from our own tables
  app.allow_extras();   // so that the error names the flag and its nearest neighbour
  app.add_flag("-h,--help", parsed.help);
  if (command.most_words > 0) app.add_option("words", parsed.words);
  if (command.takes_origin) app.add_flag("--origin", parsed.origin);
  if (command.takes_origin) app.add_flag("--show-secrets", parsed.show_secrets);
  if (command.takes_json) app.add_flag("--json", parsed.json);
  if (command.takes_now) app.add_flag("--now", parsed.now);
  if (command.takes_ready) app.add_flag("--ready", parsed.ready);
  if (command.takes_timeout) app.add_option("--timeout", parsed.timeout)->allow_extra_args(false);
  if (command.takes_server) app.add_option("--socket", parsed.sockets)->allow_extra_args(false);
  if (command.takes_server) app.add_option("--name", parsed.servers)->allow_extra_args(false);
  if (command.takes_config || command.takes_server) app.add_option("-c,--config", parsed.files)->allow_extra_args(false);
  if (!command.takes_config) return;
  app.add_flag("-q", parsed.quiet);
  app.add_flag("-v", parsed.verbose);
  for (const auto& option : config::options()) app.add_option(flag_names(option), parsed.options[option.path])->allow_extra_args(false);
}

Misuse unknown_flag(const std::string& word, const Command& command) {
  const auto flag = word.substr(0, word.find('='));
  const auto path = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
  if (command.takes_config && config::is_reserved(path)) return {flag + " is known, but this version does not serve it yet", "leave it out"};
  using Place = config::PeerWord::Place;
  for (const auto& [place, here] : {std::pair(Place::flag, command.takes_config), {Place::config_flag, command.takes_config || command.takes_server}}) {
    if (const auto hint = config::hint_for_peer_word(place, flag); here && !hint.empty()) return {"unknown flag " + flag, std::string(hint)};
  }
  std::vector<std::string> names;
  if (command.takes_config || command.takes_server) names.push_back("--config");
  if (command.takes_server) names.push_back("--socket");
  if (command.takes_server) names.push_back("--name");
  if (command.takes_json) names.push_back("--json");
  if (command.takes_now) names.push_back("--now");
  if (command.takes_ready) names.push_back("--ready");
  if (command.takes_timeout) names.push_back("--timeout");
  if (command.takes_config) {
    for (const auto& option : config::options()) names.push_back("--" + std::string(option.path));
  }
  if (command.takes_origin) names.push_back("--origin");
  if (command.takes_origin) names.push_back("--show-secrets");
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = nearest(flag, views);
  return {"unknown flag " + flag, near ? "did you mean " + std::string(*near) + "?" : "serval help " + std::string(command.name) + " lists the flags"};
}

/// CLI11 says "--workers.count: 1 required TEXT missing" of a flag at the end, or before another one.
Misuse unreadable(const std::string& said, const Command& command) {
  const std::string flag = said.substr(0, said.find(':'));
  const bool without_value = flag.starts_with('-') && said.ends_with("missing");
  const std::string help = "serval help " + std::string(command.name) + " lists the flags";
  if (!without_value) return {said, help};
  const auto* option = config::find_option(std::string_view(flag).substr(flag.find_first_not_of('-')));
  if (option == nullptr) return {flag + " needs a value", help};
  const std::string short_form = option->short_flag == 0 ? "" : "-" + std::string(1, option->short_flag);
  return {flag + (short_form.empty() ? "" : " (" + short_form + ")") + " needs a value",
          "write " + (short_form.empty() ? flag : short_form) + " " + std::string(option->placeholder) + "; " + help};
}

std::optional<Misuse> find_misuse(const Parsed& parsed, const std::vector<std::string>& extras, const Command& command) {
  const auto usage = "usage: serval " + std::string(command.name) + (command.arguments.empty() ? "" : " ") + std::string(command.arguments);
  for (const auto& word : extras) {
    if (word.starts_with('-')) return unknown_flag(word, command);
  }
  const auto words = parsed.words.size() + extras.size();
  if (words > command.most_words) {
    const auto& extra = extras.empty() ? parsed.words[command.most_words] : extras.front();
    return Misuse{"one argument too many: " + quoted(extra), usage};
  }
  if (words < command.least_words) return Misuse{"an argument is missing", usage};
  if (parsed.files.size() > 1) return Misuse{"-c was given more than once", "there is one configuration file"};
  if (parsed.sockets.size() > 1) return Misuse{"--socket was given more than once", "ask one server after the other"};
  if (!parsed.sockets.empty() && parsed.sockets.front().empty()) return Misuse{"--socket needs a path", usage};
  if (parsed.servers.size() > 1) return Misuse{"--name was given more than once", "ask one server after the other"};
  if (!parsed.servers.empty() && parsed.servers.front().empty()) return Misuse{"--name needs a name", usage};
  if (!parsed.servers.empty() && (!parsed.sockets.empty() || !parsed.files.empty())) {
    return Misuse{"--name stands beside another flag that says which server is meant", "give one of -c, --socket and --name"};
  }
  if (parsed.quiet && parsed.verbose) return Misuse{"-q and -v contradict each other", "give one of them"};
  return std::nullopt;
}

/// "-1" looks like a flag, and is a word to those who expect one.
void take_negative_numbers(const Command& command, Parsed& parsed, std::vector<std::string>& extras) {
  std::erase_if(extras, [&](const std::string& word) {
    const bool number = word.size() > 1 && word[0] == '-' && word.find_first_not_of("0123456789", 1) == std::string::npos;
    if (!number || parsed.words.size() >= command.most_words) return false;
    parsed.words.push_back(word);
    return true;
  });
}

config::Sources sources_from(const Parsed& parsed, config::Environment environment, std::string working_directory) {
  config::Sources sources;
  sources.environment = std::move(environment);
  sources.working_directory = std::move(working_directory);
  std::error_code error;
  if (!parsed.files.empty()) {
    sources.file = parsed.files.front();
  } else if (std::filesystem::exists(std::filesystem::path(sources.working_directory) / kDefaultFile, error)) {
    sources.file = kDefaultFile;
  }
  for (const auto& [path, words] : parsed.options) {
    for (const auto& word : words) sources.flags.emplace_back(path, word);
  }
  // Said last, so stronger than the flags that they stand for.
  if (!parsed.words.empty() && parsed.takes_library) sources.flags.emplace_back("app.library", parsed.words.front());
  if (parsed.quiet) sources.flags.emplace_back("log.level", "warning");
  if (parsed.verbose) sources.flags.emplace_back("log.level", "debug");
  return sources;
}

}  // namespace

std::variant<Invocation, HelpWanted, Misuse> read_command_line(const Command& command, std::vector<std::string> arguments,
                                                               config::Environment environment, std::string working_directory) {
  CLI::App app;
  Parsed parsed;
  parsed.takes_library = command.takes_config;
  declare(app, command, parsed);
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 takes a vector in
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return unreadable(error.what(), command);
  }
  if (parsed.help) return HelpWanted{};
  std::vector<std::string> extras = app.remaining();
  take_negative_numbers(command, parsed, extras);
  if (auto misuse = find_misuse(parsed, extras, command)) return *std::move(misuse);
  Invocation invocation;
  invocation.words = parsed.words;
  invocation.origin = parsed.origin;
  invocation.show_secrets = parsed.show_secrets;
  invocation.json = parsed.json;
  invocation.now = parsed.now;
  invocation.ready = parsed.ready;
  invocation.timeout = parsed.timeout;
  if (!parsed.sockets.empty()) invocation.socket = parsed.sockets.front();
  if (!parsed.servers.empty()) invocation.server = parsed.servers.front();
  if (command.takes_config || command.takes_server) invocation.sources = sources_from(parsed, std::move(environment), std::move(working_directory));
  return invocation;
}

}  // namespace serval::cli
