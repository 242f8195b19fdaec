#include "net/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <gtest/gtest.h>

namespace serval::net {
namespace {

sockaddr_storage v4(const char* address, std::uint16_t port) {
  sockaddr_storage all{};
  auto& in = reinterpret_cast<sockaddr_in&>(all);
  in.sin_family = AF_INET;
  in.sin_port = ::htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, address, &in.sin_addr), 1);
  return all;
}

sockaddr_storage v6(const char* address, std::uint16_t port) {
  sockaddr_storage all{};
  auto& in = reinterpret_cast<sockaddr_in6&>(all);
  in.sin6_family = AF_INET6;
  in.sin6_port = ::htons(port);
  EXPECT_EQ(::inet_pton(AF_INET6, address, &in.sin6_addr), 1);
  return all;
}

sockaddr_storage local() {
  sockaddr_storage all{};
  all.ss_family = AF_UNIX;
  return all;
}

TEST(Peer, IsSpeltAsLogsAndAppsKnowIt) {
  const struct {
    sockaddr_storage from;
    std::string_view address;
    std::uint16_t port;
  } rows[] = {
      {v4("192.0.2.7", 80), "192.0.2.7", 80},
      {v4("255.255.255.255", 65535), "255.255.255.255", 65535},
      {v6("2001:db8::1", 443), "2001:db8::1", 443},
      {v6("2001:0db8:0000:0000:0000:0000:0000:00ff", 1), "2001:db8::ff", 1},
      {v6("::1", 1), "::1", 1},
      {v6("::ffff:192.0.2.7", 80), "192.0.2.7", 80},  // an IPv4 client of a [::] listener
      {v6("::192.0.2.7", 80), "::192.0.2.7", 80},     // IPv4-compatible, which is another thing
      {local(), "unix", 0},
      {{}, "unix", 0},  // accept(2) says nothing of a client without a name
  };
  for (const auto& row : rows) {
    const Peer peer = peer_of(row.from);
    EXPECT_EQ(peer.address, row.address);
    EXPECT_EQ(peer.port, row.port) << row.address;
  }
}

}  // namespace
}  // namespace serval::net
