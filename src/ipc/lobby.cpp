#include "ipc/lobby.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/errno_text.hpp"
#include "os/fd_passing.hpp"

namespace serval::ipc {
namespace {

int option_of(int socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool is_connection(int fd) {
  const int family = option_of(fd, SO_DOMAIN);
  return option_of(fd, SO_TYPE) == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 0 &&
         (family == AF_INET || family == AF_INET6 || family == AF_UNIX);
}

bool is_peer(const char (&text)[sizeof Guest::peer]) {
  if (::strnlen(text, sizeof text) == sizeof text) return false;
  unsigned char address[sizeof(in6_addr)];
  return std::string_view(text) == "unix" || ::inet_pton(AF_INET, text, address) == 1 ||
         ::inet_pton(AF_INET6, text, address) == 1;
}

bool is_sound(const Arrival& arrival, std::size_t fds) {
  const Guest& guest = arrival.guest;
  return fds == 1 && guest.magic == Guest::kMagic && guest.requests <= INT32_MAX && is_peer(guest.peer) &&
         is_connection(arrival.connection.get());
}

/// An empty packet reads like the end.
bool is_closed(int exit) {
  pollfd look = {exit, POLLRDHUP, 0};
  return ::poll(&look, 1, 0) > 0;
}

}  // namespace

Result<Lobby> make_lobby() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
    return Error{std::string("cannot make the lobby between workers: ") + errno_text()};
  }
  return Lobby{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Sent send_guest(int entry, const Guest& guest, int connection, std::string_view unread) {
  SERVAL_CHECK(unread.size() <= kMaxUnreadBytes);
  iovec parts[] = {{const_cast<Guest*>(&guest), sizeof guest}, {const_cast<char*>(unread.data()), unread.size()}};
  msghdr packet = {};
  packet.msg_iov = parts;
  packet.msg_iovlen = 2;
  const ssize_t sent = os::send_with_fds(entry, packet, {&connection, 1});
  if (sent >= 0) return Sent::sent;  // a packet goes whole or not at all
  switch (errno) {
    case EAGAIN:
    case ETOOMANYREFS:  // as many descriptors as a process may have open are on their way between processes of this
                        // user; unix(7)
    case ENOBUFS:
    case ENOMEM: return Sent::full;
    default: return Sent::failed;
  }
}

Arrived receive_guest(int exit, Arrival& arrival) {
  char unread[kMaxUnreadBytes];
  iovec parts[] = {{&arrival.guest, sizeof arrival.guest}, {unread, sizeof unread}};
  msghdr packet = {};
  packet.msg_iov = parts;
  packet.msg_iovlen = 2;
  std::vector<UniqueFd> fds;
  const ssize_t size = os::receive_with_fds(exit, packet, fds);
  if (size < 0) return errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS ? Arrived::none : Arrived::closed;
  if (size == 0 && is_closed(exit)) return Arrived::closed;
  if (size < static_cast<ssize_t>(sizeof arrival.guest) || (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
      fds.empty())
    return Arrived::dropped;
  arrival.connection = std::move(fds.front());
  arrival.unread.assign(unread, static_cast<std::size_t>(size) - sizeof arrival.guest);
  return is_sound(arrival, fds.size()) ? Arrived::arrived : Arrived::dropped;
}

std::uint32_t leaves_of_next(int exit) {
  Guest guest;
  const ssize_t size = ::recv(exit, &guest, sizeof guest, MSG_PEEK | MSG_DONTWAIT);
  return size == sizeof guest && guest.magic == Guest::kMagic ? guest.leaves : 0;
}

}  // namespace serval::ipc
