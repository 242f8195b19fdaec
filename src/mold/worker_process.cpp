#include "mold/worker_process.hpp"

#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "os/own_fds.hpp"
#include "os/process_claim.hpp"
#include "os/process_title.hpp"
#include "os/signals.hpp"
#include "worker/worker.hpp"

namespace serval::mold {

int run_worker(const ipc::Heritage& heritage, app::App& app, scoreboard::Memory& scoreboard, ipc::Channel mold_channel,
               ForkRequest request) {
  os::claim_process();
  os::react_as(os::Process::worker);
  mold_channel.close();  // else the master would not see the mold's end while a worker lives
  if (request.output) ::dup2(request.output.get(), STDOUT_FILENO);
  if (request.error) ::dup2(request.error.get(), STDERR_FILENO);
  os::fill_standard_fds();
  request.output.reset();
  request.error.reset();

  const std::string name = "worker[" + std::to_string(request.known_as) + "]";
  log::start(ipc::log_settings(heritage.config.log, heritage.log_fd), name, heritage.generation);
  os::set_title("serval: " + name + " gen=" + std::to_string(heritage.generation) + " " + heritage.config.server.name);
  const int code = worker::run(worker::Boot{heritage, app, scoreboard, request.slot, request.known_as,
                                            request.max_requests, request.pause, std::move(request.channel)});
  std::fflush(nullptr);  // the process leaves with _exit, and what the app printed last is often what explains the exit
  return code;
}

}  // namespace serval::mold
