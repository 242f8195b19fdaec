#include "net/accept.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>

#include <gtest/gtest.h>

#include "../os/no_descriptors.hpp"

namespace serval::net {
namespace {

using Kind = Accepted::Kind;

/// A listening socket of any family, and clients of it.
class Listener {
 public:
  Listener(int family, const sockaddr* address, socklen_t size)
      : family_(family), fd_(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    if (family == AF_INET6) {
      const int off = 0;
      EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
    }
    bound_ = ::bind(fd_.get(), address, size) == 0 && ::listen(fd_.get(), 8) == 0;
    size_ = sizeof address_;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address_), &size_);
  }
  static Listener v4() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    return {AF_INET, reinterpret_cast<const sockaddr*>(&any), sizeof any};
  }
  /// Of both families.
  static Listener v6() {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    return {AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof any};
  }
  static Listener local() {
    sockaddr_un any{};
    any.sun_family = AF_UNIX;  // a name of the kernel's choice: unix(7), autobind
    return {AF_UNIX, reinterpret_cast<const sockaddr*>(&any), offsetof(sockaddr_un, sun_path)};
  }

  bool bound() const { return bound_; }
  int fd() const { return fd_.get(); }
  /// sockaddr_in6 has it at the same place.
  std::uint16_t port() const { return ::ntohs(reinterpret_cast<const sockaddr_in&>(address_).sin_port); }
  UniqueFd client() const { return connected(family_, reinterpret_cast<const sockaddr*>(&address_), size_); }
  UniqueFd v4_client() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(port());
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    return connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

 private:
  static UniqueFd connected(int family, const sockaddr* address, socklen_t size) {
    UniqueFd client(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), address, size), 0);
    return client;
  }

  int family_;
  UniqueFd fd_;
  bool bound_ = false;
  sockaddr_storage address_{};
  socklen_t size_ = 0;
};

std::uint16_t port_of(const UniqueFd& client) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  EXPECT_EQ(::getsockname(client.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ::ntohs(address.sin_port);
}

TEST(Accept, BringsOneConnectionWithItsPeer) {
  const Listener listener = Listener::v4();
  const UniqueFd client = listener.client();
  const Accepted accepted = accept_one(listener.fd());
  ASSERT_EQ(accepted.kind, Kind::one);
  EXPECT_EQ(accepted.peer.address, "127.0.0.1");
  EXPECT_EQ(accepted.peer.port, port_of(client));
}

TEST(Accept, TheConnectionNeitherBlocksNorSurvivesAnExec) {
  const Listener listener = Listener::v4();
  const UniqueFd client = listener.client();
  const Accepted accepted = accept_one(listener.fd());
  EXPECT_NE(::fcntl(accepted.connection.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(accepted.connection.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Accept, ServesThoseThatWaitInTheirOrderAndThenSaysNone) {
  const Listener listener = Listener::v4();
  EXPECT_FALSE(connection_waits(listener.fd()));
  EXPECT_EQ(accept_one(listener.fd()).kind, Kind::none);
  const UniqueFd first = listener.client();
  const UniqueFd second = listener.client();
  EXPECT_TRUE(connection_waits(listener.fd()));
  EXPECT_EQ(accept_one(listener.fd()).peer.port, port_of(first));
  EXPECT_EQ(accept_one(listener.fd()).peer.port, port_of(second));
  EXPECT_EQ(accept_one(listener.fd()).kind, Kind::none);
}

TEST(Accept, AnIPv4ClientOfAnIPv6ListenerHasItsOwnAddress) {
  const Listener listener = Listener::v6();
  if (!listener.bound()) GTEST_SKIP() << "no IPv6 here";
  const UniqueFd client = listener.v4_client();
  const Accepted accepted = accept_one(listener.fd());
  ASSERT_EQ(accepted.kind, Kind::one);
  EXPECT_EQ(accepted.peer.address, "127.0.0.1");
  EXPECT_EQ(accepted.peer.port, port_of(client));
}

TEST(Accept, ThePeerOfAUnixListenerHasNoPort) {
  const Listener listener = Listener::local();
  const UniqueFd client = listener.client();
  const Accepted accepted = accept_one(listener.fd());
  ASSERT_EQ(accepted.kind, Kind::one);
  EXPECT_EQ(accepted.peer.address, "unix");
  EXPECT_EQ(accepted.peer.port, 0);
}

TEST(Accept, NothingComesOfAListenerThatIsNone) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  EXPECT_EQ(accept_one(socket.get()).kind, Kind::none);
}

TEST(Accept, WithoutDescriptorsTheClientWaitsOn) {
  const Listener listener = Listener::v4();
  const UniqueFd client = listener.client();
  {
    const os::test::NoDescriptors none;
    const Accepted accepted = accept_one(listener.fd());
    const int error = errno;
    EXPECT_EQ(accepted.kind, Kind::out_of_resources);
    EXPECT_EQ(error, EMFILE);
    EXPECT_TRUE(connection_waits(listener.fd()));
  }
  EXPECT_EQ(accept_one(listener.fd()).peer.port, port_of(client));
}

TEST(Accept, WithoutDescriptorsItDoesNotEvenLookForAClient) {
  const Listener listener = Listener::v4();
  const os::test::NoDescriptors none;
  EXPECT_EQ(accept_one(listener.fd()).kind, Kind::out_of_resources);
  EXPECT_FALSE(connection_waits(listener.fd()));
}

}  // namespace
}  // namespace serval::net
