#include "cli/adopt.hpp"

#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/command_line.hpp"
#include "config/load.hpp"
#include "master/start.hpp"

namespace serval::cli {
namespace {

int refuse(const std::string& why) {
  std::cerr << "serval adopt: " << why << '\n';
  return exit_code::internal;
}

/// Where the running server's configuration comes from: its command line, read once more by this version.
Result<config::Sources> sources_of(const std::vector<std::string>& arguments) {
  constexpr std::string_view kRun = "run";
  if (arguments.size() < 2 || arguments[1] != kRun) return Error{"the server was not started by `serval run`"};
  std::error_code gone;
  const auto folder = std::filesystem::current_path(gone);  // if it is gone, reloads say so, not the upgrade
  const auto line = read_command_line(*find_command(kRun), {arguments.begin() + 2, arguments.end()}, config::process_environment(), folder.string());
  if (const auto* misuse = std::get_if<Misuse>(&line)) return Error{"this version does not take the server's command line: " + misuse->what};
  const auto* invocation = std::get_if<Invocation>(&line);
  if (invocation == nullptr) return Error{"the server was not started by `serval run`"};
  return invocation->sources;
}

}  // namespace

int adopt(int handover_fd, bool check) {
  const auto handover = master::read_handover(handover_fd);
  ::close(handover_fd);
  if (!handover) return refuse(handover.error());
  const auto sources = sources_of(handover->arguments);
  if (!sources) return refuse(sources.error());
  if (!check) return master::adopt(*handover, [from = *sources] { return config::load(from); });
  const auto good = master::check_adoption(*handover);
  return good ? exit_code::ok : refuse(good.error());
}

}  // namespace serval::cli
