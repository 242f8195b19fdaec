#include "cli/adopt.hpp"

#include <unistd.h>

#include <iostream>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/command_line.hpp"
#include "config/load.hpp"
#include "master/adoption_proof.hpp"
#include "master/start.hpp"
#include "os/working_directory.hpp"

namespace serval::cli {
namespace {

int refuse(const std::string& why) {
  std::cerr << "serval adopt: " << why << '\n';
  return exit_code::internal;
}

/// The running server's command line, read once more by this version: where its configuration comes from.
Result<Invocation> invocation_of(const master::Handover& handover) {
  const std::vector<std::string>& arguments = handover.arguments;
  constexpr std::string_view kRun = "run";
  if (arguments.size() < 2 || arguments[1] != kRun) return Error{"the server was not started by `serval run`"};
  // As the server called it at its start: a link on the way there may lead elsewhere by now. An older version has not
  // said it.
  std::string folder = handover.working_directory;
  if (folder.empty()) {
    if (const auto here = os::working_directory()) folder = *here;  // if it is gone, reloads say so, not the upgrade
  }
  const auto line = read_command_line(*find_command(kRun), {arguments.begin() + 2, arguments.end()},
                                      config::process_environment(), folder);
  if (const auto* misuse = std::get_if<Misuse>(&line)) {
    return Error{"this version does not take the server's command line: " + misuse->what};
  }
  const auto* invocation = std::get_if<Invocation>(&line);
  if (invocation == nullptr) return Error{"the server was not started by `serval run`"};
  return *invocation;
}

}  // namespace

int adopt(int handover_fd, bool check) {
  const auto handover = master::read_handover(handover_fd);
  ::close(handover_fd);
  if (!handover) return refuse(handover.error());
  const auto invocation = invocation_of(*handover);
  if (!invocation) return refuse(invocation.error());
  if (!check) return master::adopt(*handover, invocation->sources, invocation->watch);
  const auto good = master::check_adoption(*handover);
  if (!good) return refuse(good.error());
  std::cout << master::adoption_proof(SERVAL_VERSION, master::kHandoverProtocol, handover->nonce) << std::flush;
  return std::cout ? exit_code::ok : refuse("cannot say that it can take over");
}

}  // namespace serval::cli
