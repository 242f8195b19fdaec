#include "master/program_listeners.hpp"

#include <fcntl.h>

#include <algorithm>

namespace serval::master {
namespace {

/// As systemd hands sockets over: a program that is no event loop waits in accept(2). One that is sets it for itself.
void make_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK); }

}  // namespace

Result<ProgramListeners> open_program_listeners(const config::Config& config, const ProgramListeners& open,
                                                std::vector<os::NamedSocket>& passed) {
  Listeners all;
  for (const auto& [name, listeners] : open) all.insert(all.end(), listeners.begin(), listeners.end());
  ProgramListeners result;
  for (const auto& [name, program] : config.programs) {
    if (program.listen.empty()) continue;
    config::Server server = config.server;
    server.bind = program.listen;
    if (!program.user.empty()) {
      server.user = program.user;
      server.group = program.group;
    }
    auto listeners = open_listeners(server, all, passed);
    if (!listeners) return Error{"programs." + name + ".listen: " + listeners.error()};
    for (const auto& listener : *listeners) {
      if (std::find(all.begin(), all.end(), listener) == all.end()) make_blocking(listener->inherited().fd);
    }
    result[name] = std::move(*listeners);
  }
  return result;
}

}  // namespace serval::master
