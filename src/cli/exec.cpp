#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <string>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/asked.hpp"
#include "cli/bodies.hpp"
#include "cli/usage.hpp"
#include "config/load.hpp"
#include "master/program_launch.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"

namespace serval::cli {
namespace {

// As a shell has them.
constexpr int kCannotStart = 127;
constexpr int kBySignal = 128;

pid_t child = 0;

int cannot(const std::string& what, const std::string& hint) {
  std::cerr << failed(kCannotStart, "exec", what, hint).message;
  return kCannotStart;
}

/// The app as a program: what its workers have.
config::Program as_program(const config::Loaded& loaded) {
  config::Program program;
  program.env = loaded.config.app.environment();
  const auto folder = std::filesystem::path(loaded.file).parent_path();
  std::error_code error;
  program.working_directory = loaded.file.empty() ? std::filesystem::current_path(error).string() : folder.string();
  return program;
}

/// A terminal's signals reach the command by themselves; others are passed on, and the command decides what becomes of
/// them.
void pass_on_signals() {
  for (const int number : {SIGINT, SIGQUIT}) ::signal(number, SIG_IGN);
  for (const int number : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
    ::signal(number, [](int which) { ::kill(child, which); });
}

}  // namespace

int exec(const Invocation& invocation) {
  const auto loaded = config::load(invocation.sources);
  if (const int code = report_problems(loaded); code != exit_code::ok) return code;
  config::Program program = as_program(loaded);
  if (!invocation.program.empty()) {
    const auto found = loaded.config.programs.find(invocation.program);
    if (found == loaded.config.programs.end())
      return usage_error("exec", "there is no program " + quoted(invocation.program), "serval config lists them");
    program = found->second;
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
  const auto pid = os::spawn(what);
  if (!pid) return cannot(pid.error(), "see what it needs");
  child = *pid;
  pass_on_signals();
  const auto ended = os::wait_for(*pid);
  if (!ended) return exit_code::internal;
  return ended->signaled ? kBySignal + ended->code : ended->code;
}

}  // namespace serval::cli
