#include "config/load.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include <unistd.h>

#include "base/text.hpp"
#include "config/decode.hpp"
#include "config/encode.hpp"
#include "config/env_files.hpp"
#include "config/file.hpp"
#include "config/programs.hpp"
#include "config/validate.hpp"

namespace serval::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "SERVAL_";

// Carries one load from layer to layer; each stronger one overwrites what a weaker one has set.
class Loading {
 public:
  explicit Loading(const Sources& sources) : sources_(sources) {
    for (const auto& option : options()) loaded_.origins.emplace(option.path, ValueSource{});
  }

  Loaded run() {
    read_the_file();
    read_environment();
    read_flags();
    read_fallbacks();
    note_unknown_variables();
    read_env_files(loaded_);
    complete(loaded_);
    if (usable_) validate(loaded_);
    sort_by_place(loaded_.problems);
    return std::move(loaded_);
  }

 private:
  void read_the_file() {
    if (!sources_.file) return;
    loaded_.file = file_of(sources_);
    loaded_.file_name = *sources_.file;
    const auto lookup = [this](std::string_view name) { return variable(name); };
    const auto values = read_file(loaded_.file, loaded_.file_name, lookup, loaded_.problems);
    usable_ = values.has_value();
    const auto folder = fs::path(loaded_.file).parent_path();
    if (!values) return;
    for (const auto& value : *values) {
      if (value.program.empty()) assign(*value.option, value.raw, folder);
    }
    read_programs(*values, folder, loaded_);
  }

  void read_environment() {
    for (const auto& option : options()) {
      const auto name = environment_name(option.path);
      if (const auto word = variable(name)) assign_word(option, *word, {ValueSource::Kind::environment, name});
    }
    for (const auto path : reserved_names()) {
      const auto name = environment_name(path);
      if (!variable(name)) continue;
      loaded_.problems.push_back({{ValueSource::Kind::environment, name},
                                  std::string(path) + " is known, but this version does not serve it yet",
                                  "unset " + name});
    }
  }

  void read_flags() {
    for (const auto& option : options()) {
      std::vector<std::string> words;
      for (const auto& [path, word] : sources_.flags) {
        if (path == option.path) words.push_back(word);
      }
      if (words.empty()) continue;
      const ValueSource at{ValueSource::Kind::flag, "--" + std::string(option.path)};
      if (std::holds_alternative<Access<Texts>>(option.field)) {
        assign_list(option, words, at);
      } else if (std::holds_alternative<Access<Pairs>>(option.field)) {
        assign_pairs(option, words, at);
      } else {
        assign_word(option, words.back(), at);
      }
    }
  }

  // A flag is repeated for each item, so that an item may hold commas.
  void assign_list(const Option& option, const std::vector<std::string>& words, const ValueSource& at) {
    Raw raw;
    raw.kind = Raw::Kind::list;
    raw.at = at;
    for (const auto& word : words) raw.items.push_back(text(word, at));
    assign(option, raw, sources_.working_directory);
  }

  void assign_pairs(const Option& option, const std::vector<std::string>& words, const ValueSource& at) {
    Raw raw;
    raw.kind = Raw::Kind::table;
    raw.at = at;
    for (const auto& word : words) {
      const auto equals = word.find('=');
      if (equals == std::string::npos) {
        loaded_.problems.push_back(
            {at, std::string(option.path) + " = " + shown(option, text(word, at)) + ": expected NAME=VALUE", {}});
        return;
      }
      raw.keys.push_back(word.substr(0, equals));
      raw.items.push_back(text(word.substr(equals + 1), at));
    }
    assign(option, raw, sources_.working_directory);
  }

  void read_fallbacks() {
    for (const auto& option : options()) {
      if (option.fallback.empty()) continue;
      const auto word = variable(option.fallback);
      if (!word || trim(*word).empty()) continue;
      if (const ValueSource& said = loaded_.origins.find(option.path)->second;
          said.kind != ValueSource::Kind::defaulted) {
        note_ignored(option, *word, said);
        continue;
      }
      const ValueSource at{ValueSource::Kind::environment, std::string(option.fallback)};
      if (!option.fallback_value.empty()) {
        assign_word(option, option.fallback_value, at);
      } else if (option.fallback == "PORT") {
        assign_port(option, *word, at);
      } else {
        assign_word(option, option.fallback == "WEB_CONCURRENCY" ? concurrency_in(*word, at) : *word, at);
      }
    }
  }

  /// It may have been used all the same: "0.0.0.0:${PORT}".
  void note_ignored(const Option& option, const std::string& word, const ValueSource& said) {
    const auto value = encode(option, loaded_.config);
    if (!option.fallback_value.empty() || value.find(trim(word)) != std::string::npos) return;
    loaded_.notes.push_back(
        {{ValueSource::Kind::environment, std::string(option.fallback)},
         quoted(shortened(word, 80)) + " is ignored: " + std::string(option.path) + " is set by " + said.text(),
         "write ${" + std::string(option.fallback) + "} there if it is meant to count, or unset it"});
  }

  /// In Puma and its guides 0 means one process without workers.
  std::string concurrency_in(const std::string& word, const ValueSource& at) {
    if (trim(word) != "0") return word;
    loaded_.notes.push_back({at, "0 means one worker here", ""});
    return "1";
  }

  void assign_port(const Option& option, const std::string& word, const ValueSource& at) {
    const auto digits = trim(word);
    const bool number = digits.size() <= 5 && digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number || std::stoi(std::string(digits)) > 65535) {
      loaded_.problems.push_back(
          {at, "PORT = " + quoted(shortened(word, 80)) + ": expected a whole number from 0 to 65535", {}});
      return;
    }
    Raw raw;
    raw.kind = Raw::Kind::list;
    raw.at = at;
    raw.items.push_back(text("0.0.0.0:" + std::string(digits), at));
    assign(option, raw, sources_.working_directory);
  }

  void assign_word(const Option& option, std::string_view word, const ValueSource& at) {
    assign(option, raw_from_word(option, word, at), sources_.working_directory);
  }

  // Also when the value is refused the option counts as said: a weaker source must not be asked instead.
  void assign(const Option& option, const Raw& raw, const fs::path& folder) {
    loaded_.origins.find(option.path)->second = raw.at;
    loaded_.written.erase(std::string(option.path));
    std::erase(loaded_.config.from_variables, option.path);
    if (names_variables(raw)) loaded_.config.from_variables.emplace_back(option.path);
    if (raw.written) loaded_.written.emplace(option.path, shown(option, raw));
    if (!decode(option, raw, loaded_.config, loaded_.problems)) return;
    if (option.is_path) make_absolute(option, loaded_.config, folder);
    check_list(option, raw, loaded_.problems);
  }

  void note_unknown_variables() {
    std::vector<std::string> names;
    for (const auto& option : options()) names.push_back(environment_name(option.path));
    const std::vector<std::string_view> known(names.begin(), names.end());
    for (const auto& entry : sources_.environment) {
      const auto& name = entry.first;
      const auto reserved = [&](std::string_view path) { return environment_name(path) == name; };
      if (!name.starts_with(kPrefix) || std::find(names.begin(), names.end(), name) != names.end()) continue;
      if (std::find(std::begin(kGivenToPrograms), std::end(kGivenToPrograms), name) != std::end(kGivenToPrograms)) continue;
      if (std::any_of(reserved_names().begin(), reserved_names().end(), reserved)) continue;
      const auto near = nearest(name, known);
      loaded_.notes.push_back({{ValueSource::Kind::environment, name}, "no option has this name; it is ignored",
                               near ? "did you mean " + std::string(*near) + "?" : ""});
    }
  }

  std::optional<std::string> variable(std::string_view name) const {
    const auto found = sources_.environment.find(name);
    if (found == sources_.environment.end()) return std::nullopt;
    return found->second;
  }

  static Raw text(std::string word, const ValueSource& at) {
    Raw raw;
    raw.text = std::move(word);
    raw.at = at;
    return raw;
  }

  static void sort_by_place(std::vector<Problem>& problems) {
    std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
      // What is missing has no place, and comes last.
      const bool a_nowhere = a.at.kind == ValueSource::Kind::defaulted,
                 b_nowhere = b.at.kind == ValueSource::Kind::defaulted;
      return std::tie(a_nowhere, a.at.kind, a.at.line, a.at.column) <
             std::tie(b_nowhere, b.at.kind, b.at.line, b.at.column);
    });
  }

  const Sources& sources_;
  Loaded loaded_;
  bool usable_ = true;  ///< false: the file could not be read, so what it may have said is not missing
};

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::string file_of(const Sources& sources) {
  return sources.file ? (fs::path(sources.working_directory) / *sources.file).lexically_normal().string() : "";
}

Loaded load(const Sources& sources) { return Loading(sources).run(); }

std::vector<std::pair<std::string, std::string>> to_text(const Config& config) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& option : options()) texts.emplace_back(option.path, encode(option, config));
  if (!config.app.file_env.empty()) texts.emplace_back(app_file_env().path, encode(app_file_env(), config));
  for (auto& text : programs_to_text(config)) texts.push_back(std::move(text));
  return texts;
}

Result<Config> from_text(const std::vector<std::pair<std::string, std::string>>& texts) {
  Config config;
  std::vector<Problem> problems;
  for (const auto& [path, text] : texts) {
    const auto* option = path == app_file_env().path ? &app_file_env() : find_option(path);
    if (option != nullptr) {
      decode(*option, raw_from_encoded(*option, text, {}), config, problems);
    } else if (!program_from_text(path, text, config, problems)) {
      return Error{"unknown option " + quoted(path)};
    }
    if (!problems.empty()) return Error{problems.front().what};
  }
  return config;
}

}  // namespace serval::config
