#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "net/transport.hpp"
#include "os/unique_fd.hpp"

namespace serval::net {
namespace {

using State = Transport::State;

/// A transport, and the client at its other end.
class PlainTransportTest : public ::testing::Test {
 protected:
  PlainTransportTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    server_.reset(ends[0]);
    client.reset(ends[1]);
    transport = plain_transport(ends[0]);
  }
  std::string received() const {
    char some[64 * 1024];
    const ssize_t bytes = ::recv(client.get(), some, sizeof some, MSG_DONTWAIT);
    return bytes <= 0 ? std::string() : std::string(some, static_cast<std::size_t>(bytes));
  }
  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(client.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  UniqueFd client;
  std::unique_ptr<Transport> transport;
  OutputQueue queue;
  char room[8];

 private:
  UniqueFd server_;
};

TEST_F(PlainTransportTest, ReadsAsMuchAsThereIsRoomFor) {
  send("0123456789");
  Transport::Result result = transport->read(room, sizeof room);
  EXPECT_EQ(result.state, State::done);
  EXPECT_EQ(std::string_view(room, result.bytes), "01234567");
  result = transport->read(room, sizeof room);
  EXPECT_EQ(result.state, State::done);
  EXPECT_EQ(std::string_view(room, result.bytes), "89");
}

TEST_F(PlainTransportTest, DoesNotWaitForBytes) {
  EXPECT_EQ(transport->read(room, sizeof room).state, State::would_block);
}

TEST_F(PlainTransportTest, ReadsWhatCameBeforeTheEnd) {
  send("last");
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(transport->read(room, sizeof room).bytes, 4u);
  EXPECT_EQ(transport->read(room, sizeof room).state, State::closed);
}

TEST_F(PlainTransportTest, WritesOnePieceAndManyInTheirOrder) {
  queue.own() = "one piece";
  EXPECT_EQ(transport->write(queue).bytes, 9u);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(received(), "one piece");

  queue.own() = "head ";
  queue.lend("lent ", {});
  queue.own() = "tail";
  EXPECT_EQ(transport->write(queue).bytes, 14u);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(received(), "head lent tail");
}

TEST_F(PlainTransportTest, WhatDoesNotGoStaysInTheQueue) {
  const std::string large(4 << 20, 'x');
  queue.own() = "head";
  queue.lend(large, {});
  std::size_t written = 0;
  Transport::Result result;
  while ((result = transport->write(queue)).state == State::done) written += result.bytes;
  EXPECT_EQ(result.state, State::would_block);
  EXPECT_EQ(result.bytes, 0u);
  EXPECT_GT(written, 0u);
  EXPECT_EQ(queue.size(), 4 + large.size() - written);

  std::string all;
  while (!queue.empty()) {
    all += received();
    transport->write(queue);
  }
  for (std::string more; !(more = received()).empty();) all += more;
  EXPECT_TRUE(all == "head" + large);
}

TEST_F(PlainTransportTest, WritingToAClientThatLeftFailsWithoutASignal) {
  client.reset();
  queue.own() = "one piece";
  EXPECT_EQ(transport->write(queue).state, State::failed);
  queue.lend("and another", {});
  EXPECT_EQ(transport->write(queue).state, State::failed);
}

TEST_F(PlainTransportTest, LooksWhetherTheClientHasClosedWithoutReading) {
  EXPECT_FALSE(transport->peer_has_closed());
  send("x");
  EXPECT_FALSE(transport->peer_has_closed());
  EXPECT_EQ(transport->read(room, sizeof room).bytes, 1u);
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_TRUE(transport->peer_has_closed());
}

TEST_F(PlainTransportTest, AClientThatClosedBehindUnreadBytesCannotBeSeenYet) {
  send("x");
  client.reset();
  EXPECT_FALSE(transport->peer_has_closed());
}

TEST_F(PlainTransportTest, AHalfCloseEndsOneDirection) {
  transport->half_close();
  char byte;
  EXPECT_EQ(::recv(client.get(), &byte, 1, MSG_DONTWAIT), 0);
  send("still heard");
  EXPECT_EQ(transport->read(room, sizeof room).state, State::done);
}

TEST_F(PlainTransportTest, LeavesTheDescriptorOpen) {
  transport.reset();
  char byte;
  EXPECT_EQ(::recv(client.get(), &byte, 1, MSG_DONTWAIT), -1) << "closed";
}

TEST_F(PlainTransportTest, IsPlainHttp) {
  EXPECT_EQ(transport->scheme(), "http");
}

}  // namespace
}  // namespace serval::net
