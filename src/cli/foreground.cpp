#include "cli/foreground.hpp"

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "base/exit_code.hpp"
#include "cli/asked.hpp"
#include "config/load.hpp"
#include "master/program_launch.hpp"
#include "os/wait.hpp"

namespace serval::cli {
namespace {

constexpr int kBySignal = 128;

pid_t child = 0;

/// A terminal's signals reach the command by themselves; others are passed on, and the command decides what becomes of
/// them.
void pass_on_signals() {
  for (const int number : {SIGINT, SIGQUIT}) ::signal(number, SIG_IGN);
  for (const int number : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
    ::signal(number, [](int which) { ::kill(child, which); });
}

}  // namespace

config::Program app_as_program(const config::Loaded& loaded) {
  config::Program program;
  program.env = loaded.config.app.environment();
  const auto folder = std::filesystem::path(loaded.file).parent_path();
  std::error_code error;
  program.working_directory = loaded.file.empty() ? std::filesystem::current_path(error).string() : folder.string();
  return program;
}

Result<os::Spawn> like(const config::Program& program, const config::Server& server, const std::string& named) {
  auto traits = master::traits_of(program, server);
  if (!traits) return Error{traits.error()};
  os::Spawn what;
  what.traits = *std::move(traits);
  what.traits.own_session = false;  // it has our terminal
  what.traits.pid_variables.clear();
  what.environment = master::program_environment(config::process_environment(), program, {.name = named, .number = -1});
  what.working_directory = program.working_directory;
  return what;
}

int cannot_start(std::string_view command, const std::string& why, std::string_view hint) {
  std::cerr << failed(exit_code::cannot_start, command, why, hint).message;
  return exit_code::cannot_start;
}

int run_in_foreground(std::string_view command, const os::Spawn& what) {
  const auto pid = os::spawn(what);
  if (!pid) return cannot_start(command, pid.error(), "see what it needs");
  child = *pid;
  pass_on_signals();
  const auto ended = os::wait_for(*pid);
  if (!ended) return exit_code::internal;
  return ended->signaled ? kBySignal + ended->code : ended->code;
}

}  // namespace serval::cli
