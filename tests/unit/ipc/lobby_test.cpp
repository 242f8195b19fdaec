#include "ipc/lobby.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "ipc/reports.hpp"

namespace serval::ipc {
namespace {

struct LobbyTest : testing::Test {
  void SetUp() override {
    auto made = make_lobby();
    ASSERT_TRUE(made);
    lobby = std::move(*made);
    std::array<int, 2> ends;
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    client.reset(ends[0]);
    connection.reset(ends[1]);
    put_text(guest.peer, "203.0.113.9");
    guest.port = 4711;
    guest.requests = 3;
    guest.last_activity_ns = 12345;
  }

  /// A packet as nobody of ours would send it.
  void put(const void* data, std::size_t size, const std::vector<int>& fds) const {
    iovec part = {const_cast<void*>(data), size};
    alignas(cmsghdr) char control[CMSG_SPACE(20 * sizeof(int))] = {};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
      header.msg_control = control;
      header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
    }
    ASSERT_EQ(::sendmsg(lobby.entry.get(), &header, 0), static_cast<ssize_t>(size));
  }

  Arrived take() { return receive_guest(lobby.exit.get(), arrival); }

  static std::size_t open_fds() {
    std::size_t count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
  }

  Lobby lobby;
  UniqueFd client, connection;
  Guest guest;
  Arrival arrival;
};

TEST_F(LobbyTest, AConnectionArrivesWithAllThatBelongsToIt) {
  EXPECT_EQ(take(), Arrived::none);
  ASSERT_EQ(::write(client.get(), "GET", 3), 3) << "unread bytes move with it";
  ASSERT_EQ(send_guest(lobby.entry.get(), guest, connection.get()), Sent::sent);
  connection.reset();
  ASSERT_EQ(take(), Arrived::arrived);
  EXPECT_EQ(get_text(arrival.guest.peer), "203.0.113.9");
  EXPECT_EQ(arrival.guest.port, 4711);
  EXPECT_EQ(arrival.guest.requests, 3u);
  EXPECT_EQ(arrival.guest.last_activity_ns, 12345);
  EXPECT_EQ(::fcntl(arrival.connection.get(), F_GETFD), FD_CLOEXEC);
  char bytes[8] = {};
  EXPECT_EQ(::read(arrival.connection.get(), bytes, sizeof bytes), 3);
  EXPECT_EQ(take(), Arrived::none);
}

TEST_F(LobbyTest, ARequestThatHasBeenReadComesWithIt) {
  const std::string request(kMaxUnreadBytes, 'r');
  ASSERT_EQ(send_guest(lobby.entry.get(), guest, connection.get(), request), Sent::sent);
  ASSERT_EQ(send_guest(lobby.entry.get(), guest, connection.get(), "GET"), Sent::sent);
  ASSERT_EQ(send_guest(lobby.entry.get(), guest, connection.get()), Sent::sent);
  ASSERT_EQ(take(), Arrived::arrived);
  EXPECT_EQ(arrival.unread, request);
  ASSERT_EQ(take(), Arrived::arrived);
  EXPECT_EQ(arrival.unread, "GET");
  ASSERT_EQ(take(), Arrived::arrived);
  EXPECT_EQ(arrival.unread, "");
}

TEST_F(LobbyTest, WhatWaitsInsideOutlivesWhoPutItThere) {
  const UniqueFd other_entry(::dup(lobby.entry.get()));
  ASSERT_EQ(send_guest(other_entry.get(), guest, connection.get()), Sent::sent);
  connection.reset();
  char byte = 0;
  EXPECT_EQ(::recv(client.get(), &byte, 1, MSG_DONTWAIT), -1) << "not closed";
  ASSERT_EQ(take(), Arrived::arrived);
  arrival.connection.reset();
  EXPECT_EQ(::recv(client.get(), &byte, 1, MSG_DONTWAIT), 0) << "nobody else has it";
}

TEST_F(LobbyTest, AFullOneSaysSoAndHasRoomAgain) {
  int sent = 0;
  while (send_guest(lobby.entry.get(), guest, connection.get()) == Sent::sent) ++sent;
  EXPECT_GT(sent, 20);
  EXPECT_EQ(send_guest(lobby.entry.get(), guest, connection.get()), Sent::full);
  for (int i = 0; i < sent; ++i) ASSERT_EQ(take(), Arrived::arrived);
  EXPECT_EQ(take(), Arrived::none);
  EXPECT_EQ(send_guest(lobby.entry.get(), guest, connection.get()), Sent::sent);
}

TEST_F(LobbyTest, NoWayInIsNoReasonToTryAgain) {
  lobby.exit.reset();
  EXPECT_EQ(send_guest(lobby.entry.get(), guest, connection.get()), Sent::failed) << "and no SIGPIPE";
  EXPECT_EQ(send_guest(-1, guest, connection.get()), Sent::failed);
}

TEST_F(LobbyTest, WhatIsNoConnectionIsDropped) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const UniqueFd datagrams(::socket(AF_INET, SOCK_DGRAM, 0));
  const UniqueFd file(::open("/dev/null", O_RDONLY));
  Guest other_version = guest, no_address = guest, endless = guest;
  other_version.magic = 7;
  put_text(no_address.peer, "x\" 200 -");
  std::memset(endless.peer, '1', sizeof endless.peer);
  const std::size_t before = open_fds();
  const auto expect_dropped = [&](const char* what, const void* data, std::size_t size, const std::vector<int>& fds) {
    SCOPED_TRACE(what);
    put(data, size, fds);
    EXPECT_EQ(take(), Arrived::dropped);
    EXPECT_EQ(take(), Arrived::none);
    arrival.connection.reset();
    EXPECT_EQ(open_fds(), before) << "what came with it is closed";
  };
  const int fd = connection.get();
  std::string large(sizeof guest + kMaxUnreadBytes + 1, 'x');
  std::memcpy(large.data(), &guest, sizeof guest);
  expect_dropped("too short", &guest, sizeof guest - 1, {fd});
  expect_dropped("too long", large.data(), large.size(), {fd});
  expect_dropped("empty", &guest, 0, {});
  expect_dropped("without a descriptor", &guest, sizeof guest, {});
  expect_dropped("with two", &guest, sizeof guest, {fd, fd});
  expect_dropped("with twenty", &guest, sizeof guest, std::vector<int>(20, fd));
  expect_dropped("a listener", &guest, sizeof guest, {listener.get()});
  expect_dropped("no stream", &guest, sizeof guest, {datagrams.get()});
  expect_dropped("no socket", &guest, sizeof guest, {file.get()});
  expect_dropped("another version", &other_version, sizeof guest, {fd});
  expect_dropped("no address", &no_address, sizeof guest, {fd});
  expect_dropped("an endless address", &endless, sizeof guest, {fd});
  put(&guest, sizeof guest, {fd});
  EXPECT_EQ(take(), Arrived::arrived) << "and it goes on";
}

TEST_F(LobbyTest, TellsThatItIsShutDown) {
  ::shutdown(lobby.entry.get(), SHUT_RDWR);
  EXPECT_EQ(take(), Arrived::closed);
}

}  // namespace
}  // namespace serval::ipc
