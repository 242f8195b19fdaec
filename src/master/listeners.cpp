#include "master/listeners.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/address.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "os/systemd.hpp"

namespace serval::master {
namespace {

Result<os::Listening> take_passed(std::vector<os::NamedSocket>& passed, const std::string& name) {
  const auto found = std::find_if(passed.begin(), passed.end(), [&name](const os::NamedSocket& socket) { return socket.name == name; });
  if (found == passed.end()) {
    return Error{"cannot listen on fd:" + name + ": systemd passed no socket of this name (FileDescriptorName= in the socket unit)"};
  }
  UniqueFd fd = std::move(found->fd);
  passed.erase(found);
  return os::adopt(std::move(fd), name);
}

Result<os::Listening> open(const std::string& bind, int backlog, std::vector<os::NamedSocket>& passed) {
  const auto address = Address::parse(bind);
  if (!address) return Error{address.error()};
  return address->kind == Address::Kind::systemd ? take_passed(passed, address->name) : os::listen_on(*address, backlog);
}

}  // namespace

Listeners::Listeners(const config::Server& config) {
  std::vector<os::NamedSocket> passed = os::take_listen_fds();
  for (const std::string& bind : config.bind) {
    auto listening = open(bind, config.backlog, passed);
    if (!listening) {
      refuse();  // a constructor that throws has no destructor to remove the socket files
      throw StartupError(exit_code::cannot_create, listening.error());
    }
    log::info("listening", {{"address", listening->address}});
    listening_.push_back(std::move(*listening));
  }
  for (const os::NamedSocket& socket : passed) {
    log::warning("socket from systemd is not used by any server.bind, closing it", {{"name", socket.name}});
  }
}

Listeners::~Listeners() { refuse(); }

std::vector<ipc::Listener> Listeners::inherited() const {
  std::vector<ipc::Listener> result;
  for (const os::Listening& listening : listening_) result.push_back({listening.fd.get(), listening.address, listening.local});
  return result;
}

void Listeners::refuse() {
  for (const os::Listening& listening : listening_) {
    if (const auto done = os::refuse_new_connections(listening.fd.get()); !done) log::warning("connections may still come in", {{"why", done.error()}});
    os::remove_socket_file(listening);
  }
  listening_.clear();
}

}  // namespace serval::master
