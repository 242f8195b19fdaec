#include "net/accept.hpp"

#include <poll.h>

#include <cerrno>

namespace serval::net {

Accepted accept_one(int listener) {
  while (true) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    UniqueFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) return {Accepted::Kind::one, std::move(fd), peer_of(from)};
    switch (errno) {
      case EINTR:
      case ECONNABORTED:  // that client left; accept(2)
      case EPROTO:
        continue;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return {.kind = Accepted::Kind::out_of_resources, .connection = {}, .peer = {}};
      default:  // EAGAIN; EINVAL once a unix listener refuses new connections
        return {};
    }
  }
}

bool connection_waits(int listener) {
  pollfd look{.fd = listener, .events = POLLIN, .revents = 0};
  return ::poll(&look, 1, 0) > 0 && (look.revents & POLLIN) != 0;
}

}  // namespace serval::net
