#include "mold/task_once.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <utility>

#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/task_name.hpp"
#include "ipc/heritage.hpp"
#include "mold/prepare.hpp"
#include "os/process_claim.hpp"
#include "os/process_title.hpp"
#include "os/signals.hpp"
#include "os/stop_signal.hpp"
#include "os/systemd.hpp"

namespace serval::mold {
namespace {

int cannot(const std::string& why) {
  std::fprintf(stderr, "serval task: %s\n", why.c_str());
  return exit_code::cannot_start;
}

}  // namespace

Result<UniqueFd> heritage_of_once(const config::Config& config) {
  ipc::Heritage heritage;
  heritage.config = config;
  heritage.config.programs.clear();  // their secrets are not the app's
  heritage.generation = 1;
  return ipc::write_heritage(heritage);
}

/// A second Ctrl-C ends it: there is no grace here, only a user with or without patience.
int run_once(int heritage_fd, const std::string& task, std::vector<std::string> arguments) {
  os::claim_process();
  os::react_as(os::Process::mold);
  os::forget_service_manager();
  const auto heritage = ipc::read_heritage(heritage_fd);
  if (!heritage) return cannot(heritage.error());
  ::close(heritage_fd);
  if (const auto listens = os::listen_for_stop({SIGTERM, SIGINT, SIGHUP}, true); !listens)
    return cannot(listens.error());
  log::start(ipc::log_settings(heritage->config.log, STDERR_FILENO), "task:" + task);
  os::set_title("serval: task:" + task + " " + heritage->config.server.name);
  auto app = prepare(*heritage);
  if (!app) return cannot(app.error());
  const auto code = (*app)->run_task(task, {.arguments = std::move(arguments)});
  if (!code) return cannot(code.error());
  app->reset();
  std::fflush(nullptr);
  return *code;
}

}  // namespace serval::mold
