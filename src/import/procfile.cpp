#include "import/procfile.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/text.hpp"
#include "import/program_text.hpp"
#include "import/shell_words.hpp"

namespace serval::import {
namespace {

constexpr int kFirstPort = 5000;  // as foreman counts
constexpr int kPortStep = 100;
constexpr int kLastPort = 65535;

struct Process {
  std::string name;
  std::string command;
};

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// As foreman has it: a name, a colon, and a shell's line.
std::optional<Process> process_in(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_name(line.substr(0, colon))) return std::nullopt;
  const std::string_view command = trim(line.substr(colon + 1));
  if (command.empty()) return std::nullopt;
  return Process{std::string(line.substr(0, colon)), std::string(command)};
}

int first_port(const std::string& said) {
  int port = 0;
  const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), port);
  return error == std::errc{} && end == said.data() + said.size() && port > 0 && port <= kLastPort ? port : kFirstPort;
}

std::string header(const ProcfileSetting& setting) {
  return comment("Made by serval init --from-procfile from " + setting.name +
                 ". As serval.toml beside it, it does the same: serval check, then serval run.") +
         comment(
             "What is different from foreman: a process that ends is started again, and the others go on; each has 30 "
             "seconds to end (grace), and nothing that it has started outlives it. serval scale web=2 is foreman's "
             "-m web=2, but all instances have one PORT: let serval listen for them (listen), or go by "
             "SERVAL_INSTANCE.");
}

std::string release_text(const Process& process) {
  return comment("release: what has to be done before a new version serves. Run it then, with the same environment:") +
         "#   serval exec " + join(std::vector<std::string>{"/bin/sh", "-c"}, " ") + " " + quoted(process.command) +
         "\n" +
         comment(
             "Or make it a program that the others wait for: restart = \"on-failure\" there, and after = [\"release\"] "
             "in "
             "their tables; it runs at each start of the server then, and not at a reload.");
}

std::string program_text(const Process& process, int port, const ProcfileSetting& setting, ProgramNames& names) {
  const std::string name = names.take(process.name);
  const ShellCommand shell = shell_command(process.command);
  ProgramText program(name);
  program.set("command", toml_list(shell.command));
  if (setting.has_env_file) program.set("env_file", toml_text(".env"));
  program.set("env", toml_table({{"PORT", std::to_string(std::min(port, kLastPort))}}));
  if (name != process.name)
    program.note("It is called " + process.name + " there; that word means something else here.");
  if (shell.shell_stays) {
    program.note(
        "A shell stays in front of this line, and gets the stop signal; what it has started gets TERM when it "
        "has ended.");
  }
  return program.text();
}

}  // namespace

Result<std::string> procfile_to_toml(std::string_view procfile, const ProcfileSetting& setting) {
  if (procfile.find('\0') != std::string_view::npos) return Error{"it holds a NUL byte: it is no Procfile"};
  std::string text = header(setting);
  ProgramNames names;
  int port = first_port(setting.port);
  int number = 0;
  bool any = false;
  for (std::string_view line : split(procfile, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty() || line.front() == '#') continue;
    const auto process = process_in(line);
    text += '\n';
    if (!process) {
      text += comment("Line " + std::to_string(number) + " is left out, as foreman does: it is not NAME: COMMAND.");
    } else if (process->name == "release") {
      text += release_text(*process);
    } else {
      text += program_text(*process, port, setting, names);
      any = true;
    }
    // Each line has its place among the ports, whatever it is for.
    if (process) port += kPortStep;
  }
  if (!any) return Error{"no line of it names a process: expected NAME: COMMAND"};
  return text;
}

}  // namespace serval::import
