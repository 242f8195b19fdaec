#include <string>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/bodies.hpp"
#include "cli/foreground.hpp"
#include "cli/usage.hpp"
#include "config/load.hpp"
#include "master/program_launch.hpp"

namespace serval::cli {
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
  auto what = like(program, loaded.config.server, invocation.program);
  if (!what) return cannot_start("exec", what.error(), "the configuration says where and as whom it runs");
  const auto path = master::find_command(program, *what->environment);
  if (!path) return cannot_start("exec", path.error(), "a command without a slash is looked for in PATH");
  what->program = *path;
  what->arguments.assign(program.command.begin() + 1, program.command.end());
  return run_in_foreground("exec", *what);
}

}  // namespace serval::cli
