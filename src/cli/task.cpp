#include <string>

#include "base/exit_code.hpp"
#include "base/task_name.hpp"
#include "base/text.hpp"
#include "cli/bodies.hpp"
#include "cli/foreground.hpp"
#include "cli/usage.hpp"
#include "config/load.hpp"
#include "mold/task_once.hpp"

namespace serval::cli {
/// The app is loaded by another process, which begins with the app's environment: the dynamic linker and the C library
/// look at some variables before a program can set any.
int task(const Invocation& invocation) {
  const std::string& name = invocation.words.front();
  if (!is_task_name(name)) {
    return usage_error("task", quoted(shortened(name, 80)) + " is no task's name",
                       "a name has " + std::string(kTaskNameRule));
  }
  const auto loaded = config::load(invocation.sources);
  if (const int code = report_problems(loaded); code != exit_code::ok) return code;
  if (!loaded.config.has_app())
    return usage_error("task", "there is no app whose task it could be", "set app.library; serval exec runs commands");
  const config::Program program = app_as_program(loaded);
  auto what = like(program, loaded.config.server);
  if (!what) return cannot_start("task", what.error(), "the configuration says where and as whom it runs");
  const auto file = mold::heritage_of_once(loaded.config);
  if (!file) return cannot_start("task", file.error(), "see what it needs");
  what->program = os::kOwnProgram;
  what->called = "the process that loads the app";
  what->fds = {{file->get(), file->get()}};
  what->arguments = {"once", std::to_string(file->get())};
  what->arguments.insert(what->arguments.end(), invocation.words.begin(), invocation.words.end());
  return run_in_foreground("task", *what);
}

}  // namespace serval::cli
