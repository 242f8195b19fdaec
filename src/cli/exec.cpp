#include <iostream>
#include <string>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/asked.hpp"
#include "cli/bodies.hpp"
#include "cli/foreground.hpp"
#include "cli/usage.hpp"
#include "config/load.hpp"
#include "master/program_launch.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"

namespace serval::cli {
namespace {

int cannot(const std::string& what, const std::string& hint) {
  std::cerr << failed(kCannotStart, "exec", what, hint).message;
  return kCannotStart;
}

}  // namespace

int exec(const Invocation& invocation) {
  const auto loaded = config::load(invocation.sources);
  if (const int code = report_problems(loaded); code != exit_code::ok) return code;
  config::Program program = app_as_program(loaded);
  if (!invocation.program.empty()) {
    const auto found = loaded.config.programs.find(invocation.program);
    if (found == loaded.config.programs.end())
      return usage_error("exec", "there is no program " + quoted(invocation.program), "serval config lists them");
    program = found->second;
    if (program.is_task()) program.file_env.merge(loaded.config.app.environment());  // its own win
  }
  program.command = invocation.words;
  program.listen.clear();
  auto traits = master::traits_of(program, loaded.config.server);
  if (!traits) return cannot(traits.error(), "the configuration says where and as whom it runs");
  os::Spawn what;
  what.traits = *std::move(traits);
  what.traits.own_session = false;  // it has our terminal
  what.traits.pid_variables.clear();
  what.environment =
      master::program_environment(config::process_environment(), program, {.name = invocation.program, .number = -1});
  const auto path = master::find_command(program, *what.environment);
  if (!path) return cannot(path.error(), "a command without a slash is looked for in PATH");
  what.program = *path;
  what.arguments.assign(program.command.begin() + 1, program.command.end());
  what.working_directory = program.working_directory;
  return run_in_foreground("exec", what);
}

}  // namespace serval::cli
