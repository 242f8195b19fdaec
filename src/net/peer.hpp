#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace serval::net {

/// The other end of a connection.
struct Peer {
  std::string address;     ///< "127.0.0.1", "::1" (IPv4 in its own form, also on a [::] listener), or "unix"
  std::uint16_t port = 0;  ///< 0 for unix sockets
};

/// What accept(2) says of it.
Peer peer_of(const sockaddr_storage& from);

}  // namespace serval::net
