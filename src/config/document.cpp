#include "config/document.hpp"

#include <algorithm>

#include "base/access_atoms.hpp"
#include "base/log_keys.hpp"
#include "base/text.hpp"
#include "config/encode.hpp"
#include "config/expected.hpp"
#include "config/programs.hpp"

namespace serval::config {
namespace {

constexpr std::size_t kTextWidth = 100;

constexpr Section kProgramSection = {
    "programs",
    "Ordinary programs that are supervised beside the app, or without one: any number of tables, each under a name of "
    "its "
    "own. Their options have neither flags nor variables. A reload changes only those whose tables have changed."};

std::string sentence(std::string_view summary) {
  std::string text(summary);
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text + '.';
}

std::string comment(std::string_view text) {
  std::string out = "#";
  std::size_t column = 1;
  for (const auto word : split(text, ' ')) {
    if (column + 1 + word.size() > kTextWidth) {
      out += "\n#";
      column = 1;
    }
    out += ' ';
    out += word;
    column += 1 + word.size();
  }
  return out + '\n';
}

std::string limits_sentence(const Option& option) {
  const auto bounds = limits(option);
  if (bounds.empty()) return {};
  const bool is_choice = std::visit([]<class T>(Access<T>) { return Choice<T>; }, option.field);
  return (is_choice ? "One of " : "From ") + bounds + ".";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string header_of(const Section& section) { return "\n[" + std::string(section.name) + "]\n"; }

// Calls `each` for the options of one table.
template <class Each>
void for_options_of(const Section& section, const Each& each) {
  for (const auto& option : options()) {
    if (section_of(option.path) == section.name) each(option);
  }
}

std::string default_of(const Option& option) { return encode_toml(option, Config{}); }

bool has_default(const Option& option) {
  const auto value = encode(option, Config{});
  return !value.empty() && value != "[]" && value != "{}";
}

std::string_view name_of(Apply apply) {
  switch (apply) {
    case Apply::live: return "at once";
    case Apply::rolling: return "by a new generation of workers";
    case Apply::restart: return "by a restart";
  }
  return {};
}

// The same text as the argument of a macro, where quotes group words.
std::string man_argument(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"') {
      out += "\\(dq";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out += c;
    }
  }
  return out + '\n';
}

std::string man_of(const Option& option) {
  const std::string path(option.path), key(key_of(option.path));
  std::string text = ".It Ic " + key + " = Ar " + std::string(option.placeholder) + "\n";
  text += man_text(sentence(option.summary));
  if (!option.more.empty()) text += man_text(option.more);
  if (const auto bounds = limits_sentence(option); !bounds.empty()) text += man_text(bounds);
  if (has_default(option)) text += ".br\nDefault:\n.Li " + man_argument(default_of(option));
  text += ".br\nExample:\n.Li " + man_argument(option.example);
  if (section_of(path) == kProgramSection.name) return text;
  text += ".br\nFlag:\n";
  if (option.short_flag != 0) text += ".Fl " + std::string(1, option.short_flag) + " ,\n";
  text += ".Fl -" + path + " ;\nenvironment:\n.Ev " + environment_name(path);
  if (!option.fallback.empty()) text += " ,\nor, weaker than the file,\n.Ev " + std::string(option.fallback);
  if (!option.fallback_value.empty()) text += "\nfor " + std::string(option.fallback_value);
  return text + " .\n";
}

}  // namespace

std::string help_of_flags() {
  constexpr std::size_t kWidth = 38;
  std::string text;
  for (const auto& section : sections()) {
    text += header_of(section);
    for_options_of(section, [&](const Option& option) {
      const auto letter = option.short_flag != 0 ? "-" + std::string(1, option.short_flag) + ", " : "    ";
      std::string words(option.summary);
      if (const auto bounds = limits(option); !bounds.empty()) words += "; " + bounds;
      if (has_default(option)) words += " (default " + default_of(option) + ")";
      text += help_row("  " + letter + "--" + std::string(option.path) + " " + std::string(option.placeholder), kWidth,
                       words);
    });
  }
  return text;
}

namespace {

/// All of it as a comment: a program without a command is an error.
std::string sample_of_programs() {
  std::string text = "\n" + comment(kProgramSection.summary) + "#[programs.mailer]\n";
  for (const Option& option : program_options()) {
    auto words = sentence(option.summary);
    if (!option.more.empty()) words += ' ' + std::string(option.more);
    if (const auto bounds = limits_sentence(option); !bounds.empty()) words += ' ' + bounds;
    const std::string key(key_of(option.path));
    text += '\n' + comment(words) + "#" + key + " = ";
    if (key == "command") {
      text += std::string(option.example) + '\n';
    } else {
      text += default_of(option) + (has_default(option) ? "" : "  # for example " + std::string(option.example)) + '\n';
    }
  }
  return text;
}

std::string effective_program(const std::string& name, const Loaded& loaded, bool origins, bool secrets) {
  std::string text = "\n[programs." + name + "]\n";
  const Config one = with_program(loaded.config.programs.at(name));
  for (const Option& option : program_options()) {
    const auto line = std::string(key_of(option.path)) + " = " +
                      (secrets ? encode_toml(option, one) : encode_toml_hidden(option, one));
    const auto origin = loaded.origins.find(program_path(name, key_of(option.path)));
    text += origins && origin != loaded.origins.end() ? padded(line, 48) + "  # " + origin->second.text() : line;
    text += '\n';
  }
  return text;
}

}  // namespace

std::string sample_file() {
  std::string text =
      "# serval.toml: every option with its default. Only app.library has to be set; see serval.toml(5).\n"
      "# Durations: \"500ms\" \"30s\" \"5m\" \"1h\". Sizes: \"64KiB\" \"512MiB\". ${VAR} and ${VAR:-default} are "
      "replaced in texts; $${ is a literal ${.\n"
      "# SERVAL_SERVER_BIND and --server.bind say the same as bind under [server], and so on; flags win over "
      "variables, those over this file.\n";
  for (const auto& section : sections()) {
    text += "\n# " + std::string(section.summary) + header_of(section);
    for_options_of(section, [&](const Option& option) {
      auto words = sentence(option.summary);
      if (!option.more.empty()) words += ' ' + std::string(option.more);
      if (const auto bounds = limits_sentence(option); !bounds.empty()) words += ' ' + bounds;
      text += '\n' + comment(words);
      const std::string key(key_of(option.path));
      if (option.path == "app.library") {
        text += key + " = " + std::string(option.example) + '\n';
      } else {
        text += "#" + key + " = " + default_of(option) +
                (has_default(option) ? "" : "  # for example " + std::string(option.example)) + '\n';
      }
    });
  }
  return text + sample_of_programs();
}

std::string effective_file(const Loaded& loaded, bool origins, bool secrets) {
  std::string text;
  const auto encoded = [&](const Option& option) {
    return secrets ? encode_toml(option, loaded.config) : encode_toml_hidden(option, loaded.config);
  };
  const bool hides = std::any_of(options().begin(), options().end(), [&](const Option& option) {
    return encoded(option) != encode_toml(option, loaded.config);
  });
  for (const auto& section : sections()) {
    text += text.empty() ? header_of(section).substr(1) : header_of(section);
    for_options_of(section, [&](const Option& option) {
      const auto line = std::string(key_of(option.path)) + " = " + encoded(option);
      text += origins ? padded(line, 48) + "  # " + loaded.origins.find(option.path)->second.text() : line;
      text += '\n';
    });
  }
  for (const auto& [name, program] : loaded.config.programs) text += effective_program(name, loaded, origins, secrets);
  if (hides || (!secrets && !loaded.config.programs.empty()))
    text.insert(0, "# What may be secret is hidden: serval config --show-secrets prints it.\n");
  return text;
}

std::string man_of_options() {
  std::string text;
  for (const auto& section : sections()) {
    text += ".Ss Table " + std::string(section.name) + "\n" + man_text(section.summary) + ".Bl -tag -width Ds\n";
    for_options_of(section, [&](const Option& option) {
      text += man_of(option);
      text += ".br\nA change takes effect " + std::string(name_of(option.apply)) + ".\n";
    });
    text += ".El\n";
  }
  text += ".Ss Tables programs.NAME\n" + man_text(kProgramSection.summary) + ".Bl -tag -width Ds\n";
  for (const Option& option : program_options()) text += man_of(option);
  return text + ".El\n";
}

std::string man_of_access_atoms() {
  std::string text = ".Bl -tag -width \"$queue_wait_us\" -compact\n";
  for (const auto& atom : kAccessAtoms) text += ".It Li $" + std::string(atom.name) + '\n' + man_text(atom.meaning);
  return text + ".El\n";
}

std::string man_of_log_keys() {
  std::string text = ".Bl -tag -width \"user_agent\" -compact\n";
  for (const log::KeyRow& row : log::kKeyTable) {
    std::string names;
    const auto add = [&names](std::string_view collector, std::string_view name) {
      if (!name.empty()) names += (names.empty() ? "" : ", ") + std::string(collector) + " " + std::string(name);
    };
    add("ecs", row.ecs);
    add("datadog", row.datadog);
    add("gcp", row.gcp);
    text += ".It Li " + std::string(row.serval) + '\n' + man_text(names);
  }
  return text + ".El\n";
}

std::string man_of_reserved_names() {
  std::string text;
  for (const auto name : reserved_names()) text += (text.empty() ? ".Ic " : " ,\n.Ic ") + std::string(name);
  return text + " .\n";
}

std::string man_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool line_start = out.empty() || out.back() == '\n';
    if (line_start && text[i] == ' ') continue;
    if (line_start && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\') {
      out += "\\e";
    } else {
      out += text[i];
    }
    if (text.substr(i, 2) == ". ") out += '\n';
  }
  return out + '\n';
}

}  // namespace serval::config
