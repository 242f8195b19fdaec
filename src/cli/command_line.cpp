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
  std::map<Flag, bool> given;                        // of flags without a value
  std::map<Flag, std::vector<std::string>> values;   // of the others, each time that they were given
  std::map<std::string_view, std::vector<std::string>> options;  // by path
  bool help = false;
  bool takes_library = false;  // the first word is the app's

  bool is_given(Flag flag) const {
    const auto found = given.find(flag);
    return found != given.end() && found->second;
  }
  bool has_value(Flag flag) const {
    const auto found = values.find(flag);
    return found != values.end() && !found->second.empty();
  }
};

std::string flag_names(const config::Option& option) {
  const auto name = "--" + std::string(option.path);
  return option.short_flag == 0 ? name : "-" + std::string(1, option.short_flag) + "," + name;
}

std::string cli11_names(const FlagRow& row) {
  const std::string first = short_form(row);
  const std::string second = long_form(row);
  return first == second ? first : first + "," + second;
}

void declare(CLI::App& app, const Subcommand& command, Parsed& parsed) {
  app.set_help_flag();  // help is printed from our own tables
  app.allow_extras();   // so that the error names the flag and its nearest neighbour
  app.add_flag("-h,--help", parsed.help);
  if (command.max_words > 0) app.add_option("words", parsed.words);
  for (const FlagRow& row : flag_table()) {
    if (!command.flags.has(row.flag)) continue;
    if (row.placeholder.empty()) {
      app.add_flag(cli11_names(row), parsed.given[row.flag]);
    } else {
      app.add_option(cli11_names(row), parsed.values[row.flag])->allow_extra_args(false);
    }
  }
  if (!command.takes_config()) return;
  for (const auto& option : config::options()) {
    app.add_option(flag_names(option), parsed.options[option.path])->allow_extra_args(false);
  }
}

Misuse unknown_flag(const std::string& word, const Subcommand& command) {
  const auto flag = word.substr(0, word.find('='));
  const auto path = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
  if (command.takes_config() && config::is_reserved(path)) {
    return {flag + " is known, but this version does not serve it yet", "leave it out"};
  }
  const bool takes_file = command.takes_file();
  using Place = config::PeerWord::Place;
  for (const auto& [place, here] : {std::pair(Place::flag, command.takes_config()), {Place::config_flag, takes_file}}) {
    if (const auto hint = config::hint_for_peer_word(place, flag); here && !hint.empty()) {
      return {"unknown flag " + flag, std::string(hint)};
    }
  }
  std::vector<std::string> names;
  for (const FlagRow& row : flag_table()) {
    if (command.flags.has(row.flag) && !row.long_name.empty()) names.push_back(long_form(row));
  }
  if (command.takes_config()) {
    for (const auto& option : config::options()) names.push_back("--" + std::string(option.path));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = nearest(flag, views);
  return {"unknown flag " + flag, near ? "did you mean " + std::string(*near) + "?"
                                       : "serval help " + std::string(command.name) + " lists the flags"};
}

/// CLI11 says "--workers.count: 1 required TEXT missing" of a flag at the end, or before another one.
Misuse unreadable(const std::string& said, const Subcommand& command) {
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

std::optional<Misuse> find_misuse(const Parsed& parsed, const std::vector<std::string>& extras,
                                  const Subcommand& command) {
  const auto usage = "usage: serval " + std::string(command.name) + (command.arguments.empty() ? "" : " ") +
                     std::string(command.arguments);
  for (const auto& word : extras) {
    if (word.starts_with('-')) return unknown_flag(word, command);
  }
  const auto words = parsed.words.size() + extras.size();
  if (words > command.max_words) {
    const auto& extra = extras.empty() ? parsed.words[command.max_words] : extras.front();
    return Misuse{"one argument too many: " + quoted(extra), usage};
  }
  if (words < command.min_words) return Misuse{"an argument is missing", usage};
  for (const FlagRow& row : flag_table()) {
    const auto values = parsed.values.find(row.flag);
    if (values == parsed.values.end() || values->second.empty()) continue;
    if (values->second.size() > 1) return Misuse{short_form(row) + " was given more than once", std::string(row.once)};
    if (!row.not_empty.empty() && values->second.front().empty()) {
      return Misuse{short_form(row) + " needs " + std::string(row.not_empty), usage};
    }
  }
  if (parsed.has_value(Flag::name) && (parsed.has_value(Flag::socket) || parsed.has_value(Flag::server_config))) {
    return Misuse{"--name stands beside another flag that says which server is meant",
                  "give one of -c, --socket and --name"};
  }
  if (parsed.is_given(Flag::quiet) && parsed.is_given(Flag::verbose)) {
    return Misuse{"-q and -v contradict each other", "give one of them"};
  }
  return std::nullopt;
}

/// "-1" looks like a flag, and is a word where a command takes one.
void take_negative_numbers(const Subcommand& command, Parsed& parsed, std::vector<std::string>& extras) {
  std::erase_if(extras, [&](const std::string& word) {
    const bool number =
        word.size() > 1 && word[0] == '-' && word.find_first_not_of("0123456789", 1) == std::string::npos;
    if (!number || parsed.words.size() >= command.max_words) return false;
    parsed.words.push_back(word);
    return true;
  });
}

config::Sources sources_from(const Parsed& parsed, config::Environment environment, std::string working_directory) {
  config::Sources sources;
  sources.environment = std::move(environment);
  sources.working_directory = std::move(working_directory);
  std::error_code error;
  const Flag file = parsed.has_value(Flag::config) ? Flag::config : Flag::server_config;
  if (parsed.has_value(file)) {
    sources.file = parsed.values.at(file).front();
  } else if (std::filesystem::exists(std::filesystem::path(sources.working_directory) / kDefaultFile, error)) {
    sources.file = kDefaultFile;
  }
  for (const auto& [path, words] : parsed.options) {
    for (const auto& word : words) sources.flags.emplace_back(path, word);
  }
  // Said last, so stronger than the flags that they stand for.
  if (!parsed.words.empty() && parsed.takes_library) sources.flags.emplace_back("app.library", parsed.words.front());
  for (const FlagRow& row : flag_table()) {
    if (!row.level.empty() && parsed.is_given(row.flag)) sources.flags.emplace_back("log.level", row.level);
  }
  return sources;
}

/// Takes the command line of which ours is the prefix out of the arguments: from the first word on that is neither a flag
/// nor a flag's value, or behind "--".
std::vector<std::string> take_command_line(const Subcommand& command, std::vector<std::string>& arguments) {
  const auto has_value = [&](const std::string& flag) {
    const auto table = flag_table();
    return std::any_of(table.begin(), table.end(), [&](const FlagRow& row) {
      return command.flags.has(row.flag) && !row.placeholder.empty() && (short_form(row) == flag || long_form(row) == flag);
    });
  };
  auto first = arguments.begin();
  while (first != arguments.end() && first->starts_with('-') && *first != "--") {
    const bool two = has_value(*first);
    if (++first != arguments.end() && two) ++first;
  }
  std::vector<std::string> words(first, arguments.end());
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  arguments.erase(first, arguments.end());
  return words;
}

}  // namespace

std::variant<Invocation, HelpWanted, Misuse> read_command_line(const Subcommand& command,
                                                               std::vector<std::string> arguments,
                                                               config::Environment environment,
                                                               std::string working_directory) {
  CLI::App app;
  Parsed parsed;
  parsed.takes_library = command.takes_config();
  declare(app, command, parsed);
  std::vector<std::string> command_line;
  if (command.is_prefix) command_line = take_command_line(command, arguments);
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 takes a vector in
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return unreadable(error.what(), command);
  }
  if (parsed.help) return HelpWanted{};
  std::vector<std::string> extras = app.remaining();
  take_negative_numbers(command, parsed, extras);
  for (std::string& word : command_line) parsed.words.push_back(std::move(word));
  if (auto misuse = find_misuse(parsed, extras, command)) return *std::move(misuse);
  Invocation invocation;
  invocation.command = command.name;
  invocation.words = parsed.words;
  for (const FlagRow& row : flag_table()) {
    if (row.given != nullptr) invocation.*row.given = parsed.is_given(row.flag);
    if (row.value != nullptr && parsed.has_value(row.flag)) invocation.*row.value = parsed.values.at(row.flag).front();
  }
  if (command.takes_file()) {
    invocation.sources = sources_from(parsed, std::move(environment), std::move(working_directory));
  }
  return invocation;
}

}  // namespace serval::cli
