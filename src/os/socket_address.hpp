#pragma once

#include <sys/socket.h>

#include "base/address.hpp"

namespace serval::os {

/// A socket address of any family, with its size.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  template <class T>
  T& as() {
    return *reinterpret_cast<T*>(&storage);
  }
  template <class T>
  const T& as() const {
    return *reinterpret_cast<const T*>(&storage);
  }
  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// `address` is of a kind that can be bound: tcp with a numeric host or localhost, or a unix socket.
SocketAddress socket_address_of(const Address& address);

/// What getsockname(2) says; size 0: nothing, and errno says why.
SocketAddress bound_socket_address(int fd);

/// The reverse of socket_address_of().
Address address_of(const SocketAddress& socket_address);

}  // namespace serval::os
