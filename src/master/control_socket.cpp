#include "master/control_socket.hpp"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "config/load.hpp"
#include "control/private_folder.hpp"
#include "master/listeners.hpp"
#include "os/listen.hpp"

namespace serval::master {
namespace {

/// Between two looks at the socket file, when the master is awake anyway.
constexpr auto kLookInterval = std::chrono::seconds(10);

std::vector<control::SocketLocation> places_of(const config::Config& config) {
  return control::places_to_bind(config.control, config.server.name, config::process_environment(), ::geteuid());
}

}  // namespace

ControlSocket::ControlSocket(boost::asio::io_context& io, const config::Config& config)
    : io_(io), mode_(config.control.mode), places_(places_of(config)) {
  if (places_.empty()) return;
  const auto done = listen_somewhere();
  if (done) return;
  if (!places_.front().automatic) throw StartupError(exit_code::cannot_create, "control.socket: " + done.error());
  log::warning("no control socket, going on without it; control.socket names another place", {{"why", done.error()}});
}

ControlSocket::ControlSocket(boost::asio::io_context& io, const config::Config& config, const ListenerRecord& record)
    : io_(io), mode_(config.control.mode), places_(places_of(config)) {
  if (record.fd >= 0) server_ = control::Server::take_over(io, listening_of(record), record.bind, mode_);
}

Result<void> ControlSocket::listen_at(const control::SocketLocation& place) {
  if (!place.folder.empty()) {
    if (const auto made = control::make_private_folder(place.folder, place.owner); !made) return Error{made.error()};
  }
  if (server_) return server_->listen_again(place.path);
  auto server = control::Server::listen(io_, place.path, mode_);
  if (server) {
    server_ = std::move(*server);
    return {};
  }
  if (const auto pid = os::listener_at(place.path)) {
    // Beside a living one every command would go to that: the operator would stop the wrong server.
    throw StartupError(
        exit_code::cannot_create,
        "control.socket: " + server.error() + "; it has pid " + std::to_string(*pid) +
            ". If that is another serval of this name: stop it, or give this one a server.name of its own");
  }
  return Error{server.error()};
}

/// At the first place that can be had.
Result<void> ControlSocket::listen_somewhere() {
  std::string why;
  for (const control::SocketLocation& place : places_) {
    const auto done = listen_at(place);
    if (done) {
      log::info("control socket", {{"path", server_->path()}});
      complained_ = false;
      return {};
    }
    why += (why.empty() ? "" : "; ") + done.error();
  }
  return Error{why};
}

void ControlSocket::look_after() {
  next_look_ = Clock::now() + kLookInterval;
  if (server_ == nullptr || os::socket_file_is_there(server_->listening())) return;
  const auto done = listen_somewhere();
  if (done)
    return log::warning("the file of the control socket was gone or another one, it has been made anew",
                        {{"path", server_->path()}});
  if (!std::exchange(complained_, true))
    log::warning("the file of the control socket is gone, no command can be given", {{"why", done.error()}});
}

void ControlSocket::look_after_if_due() {
  if (Clock::now() >= next_look_) look_after();
}

}  // namespace serval::master
