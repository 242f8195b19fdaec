#include "import/pm2_command.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "import/pm2_fields.hpp"
#include "import/pm2_values.hpp"
#include "import/shell_words.hpp"

namespace serval::import {
namespace {

namespace json = boost::json;

struct Interpreter {
  std::string_view ending;
  std::string_view program;
};
/// PM2's lib/API/interpreter.json.
constexpr Interpreter kInterpreters[] = {{".js", "node"}, {".cjs", "node"}, {".mjs", "node"}, {".py", "python3"},
                                         {".sh", "bash"}, {".rb", "ruby"},  {".pl", "perl"},  {".php", "php"},
                                         {".ts", "bun"},  {".tsx", "bun"},  {".lua", "lua"},  {".coffee", "coffee"},
                                         {".ls", "lsc"}};

std::string interpreter_of(const json::object& app, const std::string& script) {
  if (const auto* said = pm2_value(app, "exec_interpreter")) return as_text(*said);
  const std::string ending = std::filesystem::path(script).extension().string();
  const auto found = std::find_if(std::begin(kInterpreters), std::end(kInterpreters),
                                  [&](const Interpreter& row) { return row.ending == ending; });
  return found == std::end(kInterpreters) ? "none" : std::string(found->program);
}

bool is_name(const std::string& text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

/// PM2 sets a variable of any name to the instance's number, and counts one up by it; a shell that steps aside does
/// the same.
void add_instance_variables(const json::object& app, std::vector<std::string>& words) {
  std::string script;
  if (const auto* name = pm2_value(app, "instance_var"); name != nullptr && is_name(as_text(*name)))
    script += as_text(*name) + "=\"$SERVAL_INSTANCE\" ";
  if (const auto* name = pm2_value(app, "increment_var"); name != nullptr && is_name(as_text(*name)))
    script += as_text(*name) + "=$((" + as_text(*name) + " + SERVAL_INSTANCE)) ";
  if (script.empty()) return;
  // Of an assignment before exec nothing is left in a shell that is not bash: env(1) hands them on.
  words.insert(words.begin(), {"/bin/sh", "-c", "exec env " + script + "\"$@\"", "sh"});
}

void add_words(const json::object& app, std::string_view key, std::vector<std::string>& words) {
  const auto* more = pm2_value(app, key);
  if (more == nullptr) return;
  for (std::string& word : words_of(*more)) words.push_back(std::move(word));
}

/// A script that an interpreter runs, or that is a program itself.
void write_script(const json::object& app, const std::string& script, bool is_file, Pm2Command& command) {
  std::string interpreter = interpreter_of(app, script);
  if (const auto version = interpreter.find('@'); version != std::string::npos) {
    command.notes.push_back("Not taken over: the version in " + shortened(interpreter, 40) +
                            ", by which PM2 asks nvm. Name the program by its whole path.");
    interpreter.resize(version);
  }
  command.is_of_node = interpreter.find("node") != std::string::npos;
  if (interpreter != "none" && !interpreter.empty()) command.words.push_back(interpreter);
  add_words(app, "node_args", command.words);
  // Without a slash it would be looked for in PATH.
  const bool own = command.words.empty() && script.find('/') == std::string::npos && is_file;
  command.words.push_back((own ? "./" : "") + script);
}

}  // namespace

Pm2Command pm2_command(const json::object& app, const std::string& script, const Pm2Setting& setting) {
  Pm2Command command;
  const bool is_file = setting.is_file((std::filesystem::path(pm2_folder(app)) / script).string());
  if (script.find(' ') != std::string::npos && !is_file) {
    const ShellCommand shell = shell_command(script);
    command.words = shell.command;
    if (shell.shell_stays) command.notes.emplace_back("A shell stays in front of this line, and gets the stop signal.");
  } else {
    write_script(app, script, is_file, command);
  }
  add_words(app, "args", command.words);
  add_instance_variables(app, command.words);
  return command;
}

std::string pm2_folder(const json::object& app) {
  const auto* folder = pm2_value(app, "cwd");
  return folder == nullptr ? std::string() : as_text(*folder);
}

}  // namespace serval::import
