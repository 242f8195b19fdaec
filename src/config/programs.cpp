#include "config/programs.hpp"

#include <algorithm>
#include <filesystem>

#include "base/task_name.hpp"
#include "base/text.hpp"
#include "config/decode.hpp"
#include "config/encode.hpp"
#include "config/env_files.hpp"
#include "config/program_values.hpp"

namespace serval::config {
namespace {

/// The options of programs lead to Config::program: meanwhile this program is there.
template <class Change>
void in_its_place(Config& config, const std::string& name, Change change) {
  Program& program = config.programs[name];
  std::swap(config.program, program);
  change(config);
  std::swap(config.program, program);
}

void assign(const FileValue& value, const std::filesystem::path& folder, Loaded& loaded) {
  const ProgramOption named(*value.option, value.program);
  const Option& option = named.get();
  const std::string path(option.path);
  loaded.origins[path] = value.raw.at;
  if (names_variables(value.raw)) loaded.config.from_variables.push_back(path);
  if (value.raw.written) loaded.written.emplace(path, shown(option, value.raw));
  in_its_place(loaded.config, value.program, [&](Config& config) {
    decode(option, value.raw, config, loaded.problems);
    if (!option.is_path) return;
    if (value.option->path.ends_with(".working_directory")) {  // of any name, "-" as well
      std::string& directory = config.program.working_directory;
      directory = (folder / directory).lexically_normal().string();
    } else {
      make_absolute(option, config, folder);
    }
  });
}

}  // namespace

std::string program_path(std::string_view name, std::string_view key) {
  return "programs." + std::string(name) + "." + std::string(key);
}

std::string Program::log_of(int number) const {
  if (!names_file(log)) return {};
  constexpr std::string_view kNumber = "{instance}";
  std::string path = log;
  for (auto at = path.find(kNumber); at != std::string::npos; at = path.find(kNumber, at))
    path.replace(at, kNumber.size(), std::to_string(number));
  return path;
}

Config with_program(const Program& program) {
  Config config;
  config.program = program;
  return config;
}

void read_programs(const FileValues& values, const std::string& folder, Loaded& loaded) {
  for (const FileValue& value : values) {
    if (value.program.empty()) continue;
    if (value.option != nullptr) {
      assign(value, folder, loaded);
      continue;
    }
    // The table itself, which comes before its keys.
    Program& program = loaded.config.programs[value.program];
    program.working_directory = std::filesystem::path(folder).lexically_normal().string();
    loaded.origins["programs." + value.program] = value.raw.at;
    for (const Option& row : program_options())
      loaded.origins.emplace(program_path(value.program, key_of(row.path)), ValueSource{});
  }
}

std::string why_tasks_missing(const Programs& programs, const std::vector<std::string>& tasks) {
  std::string why;
  for (const auto& [name, program] : programs) {
    if (!program.is_task()) continue;
    const auto task = parse_run(program.run);
    if (task && std::find(tasks.begin(), tasks.end(), *task) != tasks.end()) continue;
    why += (why.empty() ? "" : "; ") + ("programs." + name + ".run: ");
    why += task ? no_such_task(*task, tasks) : task.error();
  }
  return why;
}

std::vector<std::pair<std::string, std::string>> programs_to_text(const Config& config) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [name, program] : config.programs) {
    const Config one = with_program(program);
    for (const Option& row : program_options())
      texts.emplace_back(program_path(name, key_of(row.path)), encode(row, one));
    if (!program.file_env.empty())
      texts.emplace_back(program_path(name, key_of(program_file_env().path)), encode(program_file_env(), one));
  }
  return texts;
}

bool program_from_text(std::string_view path, std::string_view text, Config& config, std::vector<Problem>& problems) {
  constexpr std::string_view kPrefix = "programs.";
  if (!path.starts_with(kPrefix)) return false;
  const Option* row = find_program_option(key_of(path));
  if (key_of(path) == key_of(program_file_env().path)) row = &program_file_env();
  const auto end = path.rfind('.');
  if (row == nullptr || end < kPrefix.size()) return false;
  const std::string name(path.substr(kPrefix.size(), end - kPrefix.size()));
  if (!check_program_name(name)) return false;
  const ProgramOption named(*row, name);
  in_its_place(config, name,
               [&](Config& with) { decode(named.get(), raw_from_encoded(named.get(), text, {}), with, problems); });
  return true;
}

}  // namespace serval::config
