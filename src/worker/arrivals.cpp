#include "worker/arrivals.hpp"

#include <fcntl.h>
#include <poll.h>

#include <utility>

#include "base/log.hpp"
#include "ipc/lobby.hpp"
#include "os/own_fds.hpp"

namespace serval::worker {

Arrivals::Arrivals(Service& service, UniqueFd exit)
    : Acceptor(service, {.fd = exit.release(), .address = "lobby", .local = true}) {}

/// A descriptor that the kernel finds no number for when we take it out is lost, and with it the connection. The app's
/// threads may take numbers between this look and that moment: so there must be as many as connections leave to it, at
/// least.
bool Arrivals::has_room() {
  while (true) {
    const UniqueFd next(::fcntl(listener_.fd, F_DUPFD_CLOEXEC, 0));
    if (next && !service_.crowded(next.get())) return true;
    if (!make_room()) return static_cast<bool>(next);
  }
}

Acceptor::Taken Arrivals::take() {
  while (true) {
    if (!somebody_waits()) return Taken::none;
    if (!has_room()) {
      pause();
      return Taken::failed;
    }
    const Service::Taking taking(service_);
    ipc::Arrival arrival;
    switch (ipc::receive_guest(listener_.fd, arrival)) {
      case ipc::Arrived::arrived:
        service_.is_fed();
        service_.adopt(os::off_standard(std::move(arrival.connection)), arrival.guest, arrival.unread);
        return Taken::one;
      case ipc::Arrived::dropped:
        service_.strays.add();
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
