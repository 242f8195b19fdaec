#include "os/socket_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace serval::os {

SocketAddress socket_address_of(const Address& address) {
  SocketAddress result;
  if (address.kind != Address::Kind::tcp) {
    auto& un = result.as<sockaddr_un>();
    un.sun_family = AF_UNIX;
    // An abstract name starts with a NUL and ends where the size says; a path ends with a NUL (unix(7)).
    const std::size_t skip = address.kind == Address::Kind::unix_abstract ? 1 : 0;
    address.name.copy(un.sun_path + skip, sizeof un.sun_path - 1);
    result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.name.size() + 1);
  } else if (auto& v6 = result.as<sockaddr_in6>(); ::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    result.size = sizeof v6;
  } else {
    auto& v4 = result.as<sockaddr_in>();
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host == "localhost" ? "127.0.0.1" : address.host.c_str(), &v4.sin_addr);
    result.size = sizeof v4;
  }
  return result;
}

SocketAddress bound_socket_address(int fd) {
  SocketAddress result;
  result.size = sizeof result.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&result.storage), &result.size) != 0) result.size = 0;
  return result;
}

Address address_of(const SocketAddress& socket_address) {
  Address address;
  char text[INET6_ADDRSTRLEN] = {};
  if (socket_address.storage.ss_family == AF_INET6) {
    address.host = ::inet_ntop(AF_INET6, &socket_address.as<sockaddr_in6>().sin6_addr, text, sizeof text);
    address.port = ntohs(socket_address.as<sockaddr_in6>().sin6_port);
  } else if (socket_address.storage.ss_family == AF_INET) {
    address.host = ::inet_ntop(AF_INET, &socket_address.as<sockaddr_in>().sin_addr, text, sizeof text);
    address.port = ntohs(socket_address.as<sockaddr_in>().sin_port);
  } else {
    const char* path = socket_address.as<sockaddr_un>().sun_path;
    const std::size_t size = socket_address.size > offsetof(sockaddr_un, sun_path)
                                 ? socket_address.size - offsetof(sockaddr_un, sun_path)
                                 : 0;
    const bool abstract = size > 0 && path[0] == '\0';
    address.kind = abstract ? Address::Kind::unix_abstract : Address::Kind::unix_path;
    address.name = abstract ? std::string(path + 1, size - 1) : std::string(path, ::strnlen(path, size));
  }
  return address;
}

}  // namespace serval::os
