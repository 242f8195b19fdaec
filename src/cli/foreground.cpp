#include "cli/foreground.hpp"

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "base/exit_code.hpp"
#include "cli/asked.hpp"
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

int run_in_foreground(std::string_view command, const os::Spawn& what) {
  const auto pid = os::spawn(what);
  if (!pid) {
    std::cerr << failed(kCannotStart, command, pid.error(), "see what it needs").message;
    return kCannotStart;
  }
  child = *pid;
  pass_on_signals();
  const auto ended = os::wait_for(*pid);
  if (!ended) return exit_code::internal;
  return ended->signaled ? kBySignal + ended->code : ended->code;
}

}  // namespace serval::cli
