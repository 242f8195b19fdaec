#include "worker/placement/lobby_receiver.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "ipc/lobby.hpp"
#include "os/own_fds.hpp"
#include "worker/placement/moved.hpp"

namespace serval::worker::placement {

LobbyReceiver::LobbyReceiver(const Entrance& entrance, UniqueFd exit)
    : AcceptTurn(entrance, std::move(exit), "lobby", true), strays_(entrance.hub.io, [](std::uint64_t count) {
        return log::write(log::Level::warning, "what came through the lobby is no connection, dropped",
                          {{"count", count}});
      }) {}

/// A descriptor that the kernel finds no number for when we take it out is lost, and with it the connection. The app's
/// threads may take numbers between this look and that moment: so there must be as many as connections leave to it, at
/// least.
bool LobbyReceiver::has_room() {
  while (true) {
    const UniqueFd next(::fcntl(queue_, F_DUPFD_CLOEXEC, 0));
    if (next && !entrance_.descriptors.crowded(next.get())) return true;
    const int error = errno;
    if (!entrance_.descriptors.make_room()) {
      errno = error;
      return static_cast<bool>(next);
    }
  }
}

/// One that has been drawn for the other generation.
bool LobbyReceiver::is_for_others() const {
  const FleetView& fleet = entrance_.fleet;
  return fleet.comparison().on() && ipc::leaves_of_next(queue_) == static_cast<std::uint32_t>(fleet.own_generation());
}

AcceptTurn::Taken LobbyReceiver::take() {
  while (true) {
    if (!connection_waits()) return Taken::none;
    if (!has_room()) {
      pause();
      return Taken::failed;
    }
    const Accounting::Taking taking(entrance_.accounting);
    ipc::Arrival arrival;
    switch (ipc::receive_guest(queue_, arrival)) {
      case ipc::Arrived::arrived:
        entrance_.descriptors.on_accepted();
        // The worker that accepted it has counted it.
        entrance_.hub.serve(os::off_standard(std::move(arrival.connection)), peer_of(arrival.guest),
                            history_of(arrival.guest, Clock::now()), arrival.unread);
        return Taken::one;
      case ipc::Arrived::dropped: strays_.add(); continue;
      case ipc::Arrived::none: return Taken::none;
      case ipc::Arrived::closed:
        log::error("the lobby has been shut down, connections of other workers cannot be taken over");
        close();
        return Taken::none;
    }
  }
}

}  // namespace serval::worker::placement
