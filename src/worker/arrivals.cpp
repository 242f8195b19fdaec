#include "worker/arrivals.hpp"

#include <fcntl.h>
#include <poll.h>

#include <utility>

#include "base/log.hpp"
#include "ipc/lobby.hpp"

namespace serval::worker {

Arrivals::Arrivals(Service& service, UniqueFd exit)
    : Acceptor(service, {.fd = exit.release(), .address = "lobby", .local = true}),
      strays_(service.io, [](std::uint64_t count) { log::warning("what came through the lobby is no connection, dropped", {{"count", count}}); }) {}

/// A descriptor that the kernel finds no number for when we take it out is lost, and with it the connection.
bool Arrivals::has_room() { return static_cast<bool>(UniqueFd(::fcntl(listener_.fd, F_DUPFD_CLOEXEC, 0))); }

Acceptor::Taken Arrivals::take() {
  while (true) {
    if (!has_room()) {
      pause();
      return Taken::failed;
    }
    ipc::Arrival arrival;
    switch (ipc::receive_guest(listener_.fd, arrival)) {
      case ipc::Arrived::arrived:
        service_.adopt(std::move(arrival.connection), arrival.guest, arrival.unread);
        return Taken::one;
      case ipc::Arrived::dropped:
        strays_.add();
        continue;
      case ipc::Arrived::none:
        return Taken::none;
      case ipc::Arrived::closed:
        log::error("the lobby has been shut down, connections of other workers cannot be taken over");
        close();
        return Taken::none;
    }
  }
}

bool anybody_inside(int exit) {
  pollfd look = {exit, POLLIN, 0};
  return ::poll(&look, 1, 0) > 0 && (look.revents & POLLIN) != 0;
}

}  // namespace serval::worker
