#include "ipc/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "ipc/messages.hpp"
#include "os/fd_passing.hpp"

namespace serval::ipc {
namespace {

struct ChannelTest : testing::Test {
  void SetUp() override {
    auto ends = Channel::pair();
    ASSERT_TRUE(ends);
    ours = std::move(ends->first);
    theirs = std::move(ends->second);
  }

  Channel ours, theirs;
  Channel::Received received;
};

TEST_F(ChannelTest, BringsTheMasterWhatTheAppSays) {
  EXPECT_EQ(ours.receive(received), Channel::State::empty);
  EXPECT_TRUE(theirs.send({.tag = Ready::kTag, .slot = 1}));
  EXPECT_TRUE(theirs.send(with_text({.tag = BootFailed::kTag, .slot = 2}, "two")));
  ASSERT_EQ(ours.receive(received), Channel::State::received);
  EXPECT_EQ(received.packet.slot, 1);
  ASSERT_EQ(ours.receive(received), Channel::State::received);
  EXPECT_EQ(received.packet.slot, 2);
  EXPECT_EQ(text_of(received.packet), "two");
  EXPECT_EQ(ours.receive(received), Channel::State::empty);
}

/// The app has the descriptors of its end, and may use them as it likes. What would arrive the master would have to
/// close.
TEST_F(ChannelTest, NoDescriptorEverWaitsForTheMaster) {
  char byte = 'x';
  iovec part = {&byte, 1};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  const std::array<int, 1> fds = {theirs.in_fd()};
  errno = 0;
  EXPECT_LT(os::send_with_fds(theirs.in_fd(), header, fds), 0) << "into the socket, against its direction";
  EXPECT_EQ(errno, EPIPE);
  errno = 0;
  EXPECT_LT(os::send_with_fds(theirs.out_fd(), header, fds), 0) << "into the pipe";
  EXPECT_EQ(errno, ENOTSOCK);
}

TEST_F(ChannelTest, KeepsMessagesApartAndInOrder) {
  EXPECT_EQ(theirs.receive(received), Channel::State::empty);
  EXPECT_TRUE(ours.send({.tag = Fork::kTag, .slot = 1, .generation = 4}));
  EXPECT_TRUE(ours.send(with_text({.tag = Fork::kTag, .slot = 2}, "two")));
  ASSERT_EQ(theirs.receive(received), Channel::State::received);
  EXPECT_EQ(received.packet.slot, 1);
  EXPECT_EQ(received.packet.generation, 4);
  ASSERT_EQ(theirs.receive(received), Channel::State::received);
  EXPECT_EQ(received.packet.slot, 2);
  EXPECT_EQ(text_of(received.packet), "two");
  EXPECT_EQ(theirs.receive(received), Channel::State::empty);
}

TEST_F(ChannelTest, CarriesDescriptorsThatCloseOnExec) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const UniqueFd read_end(pipe[0]);
  UniqueFd write_end(pipe[1]);
  EXPECT_TRUE(ours.send({.tag = Reopen::kTag}, {write_end.get(), write_end.get()}));
  write_end.reset();
  ASSERT_EQ(theirs.receive(received), Channel::State::received);
  ASSERT_EQ(received.fds.size(), 2u);
  EXPECT_EQ(::fcntl(received.fds[0].get(), F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(::write(received.fds[1].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
}

TEST_F(ChannelTest, TellsThatThePeerIsGoneAfterItsLastMessage) {
  theirs.send({.tag = Ready::kTag});
  theirs.close();
  EXPECT_EQ(ours.receive(received), Channel::State::received);
  EXPECT_EQ(ours.receive(received), Channel::State::closed);
  EXPECT_FALSE(ours.send({.tag = Drain::kTag})) << "and no SIGPIPE";
}

TEST_F(ChannelTest, TellsPacketsOfAnotherSizeFromMessages) {
  const std::string small = "hello";
  const std::string large(sizeof(Packet) + 1, 'x');
  for (const std::string& packet : {small, large}) {
    ASSERT_EQ(::write(theirs.out_fd(), packet.data(), packet.size()), static_cast<ssize_t>(packet.size()));
    ASSERT_EQ(::send(ours.out_fd(), packet.data(), packet.size(), 0), static_cast<ssize_t>(packet.size()));
  }
  theirs.send({.tag = Ready::kTag});
  ours.send({.tag = Drain::kTag});
  for (Channel* end : {&ours, &theirs}) {
    EXPECT_EQ(end->receive(received), Channel::State::malformed);
    EXPECT_EQ(end->receive(received), Channel::State::malformed);
    EXPECT_EQ(end->receive(received), Channel::State::received);
    EXPECT_EQ(end->receive(received), Channel::State::empty);
  }
}

/// A writer may take O_DIRECT away from its end: packets run together then.
TEST_F(ChannelTest, WhatRunsTogetherIsMalformedAndEnds) {
  ASSERT_EQ(::fcntl(theirs.out_fd(), F_SETFL, O_NONBLOCK), 0);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(theirs.send({.tag = Ready::kTag}));
  int reads = 0;
  while (ours.receive(received) != Channel::State::empty) ++reads;
  EXPECT_LE(reads, 8);
  theirs.close();
  EXPECT_EQ(ours.receive(received), Channel::State::closed);
}

TEST_F(ChannelTest, AFullQueueIsNoReasonToBlock) {
  for (const auto& [from, to] : {std::pair{&ours, &theirs}, std::pair{&theirs, &ours}}) {
    int sent = 0;
    while (from->send({.tag = Drain::kTag})) ++sent;
    EXPECT_GT(sent, 8);
    ASSERT_EQ(to->receive(received), Channel::State::received);
    EXPECT_TRUE(from->send({.tag = Drain::kTag}));
  }
}

}  // namespace
}  // namespace serval::ipc
