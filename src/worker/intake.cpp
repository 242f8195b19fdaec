#include "worker/intake.hpp"

#include <fcntl.h>

#include <utility>
#include <vector>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "net/accept.hpp"
#include "os/own_fds.hpp"

namespace serval::worker {

void Intake::start() {
  for (const ipc::Listener& listener : heritage_.listeners) {
    listeners_.emplace_back(entrance_, UniqueFd(listener.fd), listener.address, listener.local);
  }
  open_ = listeners_.size();
  placement::LobbyReceiver* const lobby = look_into_lobby();
  for (placement::ListenerTurn& listener : listeners_) listener.start();
  if (lobby != nullptr) lobby->start();
}

void Intake::hold() {
  for (placement::ListenerTurn& listener : listeners_) listener.hold();
}

void Intake::release() {
  for (placement::ListenerTurn& listener : listeners_) listener.release();
}

/// None if the master knows no lobby.
placement::LobbyReceiver* Intake::look_into_lobby() {
  if (heritage_.lobby_exit_fd < 0) return nullptr;
  UniqueFd exit(::fcntl(heritage_.lobby_exit_fd, F_DUPFD_CLOEXEC, os::first_own_fd()));
  if (exit) {
    if (!entrance_.hub.farewell.draining) own_fds_.watch.add(exit.get(), "lobby");
    return &receivers_.emplace_back(entrance_, std::move(exit));
  }
  log::error("cannot look into the lobby: raise the limit of open files", {{"error", errno_text()}});
  return nullptr;
}

void Intake::drain(bool others_take_over, std::function<void()> on_closed) {
  on_closed_ = std::move(on_closed);
  std::vector<placement::AcceptTurn*> draining;
  for (placement::ListenerTurn& listener : listeners_) draining.push_back(&listener);
  for (placement::LobbyReceiver& lobby : receivers_) {
    if (others_take_over) lobby.close();
    if (lobby.open()) draining.push_back(&lobby);
  }
  open_ = draining.size();  // before the first one is closed, maybe at once
  for (placement::AcceptTurn* const turn : draining) turn->drain([this] { close_one(); });
  if (draining.empty()) on_closed_();
}

void Intake::close_one() {
  if (--open_ == 0) on_closed_();
}

void Intake::drain_lobby() {
  placement::LobbyReceiver* const lobby = look_into_lobby();
  if (lobby == nullptr) return;
  ++open_;
  lobby->drain([this] { close_one(); });
}

bool Intake::connection_in_lobby() const { return net::connection_waits(heritage_.lobby_exit_fd); }

void Intake::finish() {
  for (placement::LobbyReceiver& lobby : receivers_) lobby.finish();
}

}  // namespace serval::worker
