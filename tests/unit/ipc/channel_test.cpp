#include "ipc/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

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

TEST_F(ChannelTest, KeepsMessagesApartAndInOrder) {
  EXPECT_EQ(theirs.receive(received), Channel::State::empty);
  EXPECT_TRUE(ours.send({.kind = Kind::fork, .slot = 1, .generation = 4}));
  EXPECT_TRUE(ours.send(with_text({.kind = Kind::fork, .slot = 2}, "two")));
  ASSERT_EQ(theirs.receive(received), Channel::State::received);
  EXPECT_EQ(received.message.slot, 1);
  EXPECT_EQ(received.message.generation, 4);
  ASSERT_EQ(theirs.receive(received), Channel::State::received);
  EXPECT_EQ(received.message.slot, 2);
  EXPECT_EQ(text_of(received.message), "two");
  EXPECT_EQ(theirs.receive(received), Channel::State::empty);
}

TEST_F(ChannelTest, CarriesDescriptorsThatCloseOnExec) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const UniqueFd read_end(pipe[0]);
  UniqueFd write_end(pipe[1]);
  EXPECT_TRUE(ours.send({.kind = Kind::reopen}, {write_end.get(), write_end.get()}));
  write_end.reset();
  ASSERT_EQ(theirs.receive(received), Channel::State::received);
  ASSERT_EQ(received.fds.size(), 2u);
  EXPECT_EQ(::fcntl(received.fds[0].get(), F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(::write(received.fds[1].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
}

TEST_F(ChannelTest, TellsThatThePeerIsGoneAfterItsLastMessage) {
  theirs.send({.kind = Kind::ready});
  theirs.take().reset();
  EXPECT_EQ(ours.receive(received), Channel::State::received);
  EXPECT_EQ(ours.receive(received), Channel::State::closed);
  EXPECT_FALSE(ours.send({.kind = Kind::drain})) << "and no SIGPIPE";
}

TEST_F(ChannelTest, SkipsPacketsOfAnotherSize) {
  const std::string small = "hello";
  const std::string large(sizeof(Message) + 1, 'x');
  ASSERT_EQ(::send(theirs.fd(), small.data(), small.size(), 0), static_cast<ssize_t>(small.size()));
  ASSERT_EQ(::send(theirs.fd(), large.data(), large.size(), 0), static_cast<ssize_t>(large.size()));
  EXPECT_EQ(ours.receive(received), Channel::State::empty);
  theirs.send({.kind = Kind::ready});
  EXPECT_EQ(ours.receive(received), Channel::State::received);
}

TEST_F(ChannelTest, AFullQueueIsNoReasonToBlock) {
  int sent = 0;
  while (ours.send({.kind = Kind::drain})) ++sent;
  EXPECT_GT(sent, 8);
  ASSERT_EQ(theirs.receive(received), Channel::State::received);
  EXPECT_TRUE(ours.send({.kind = Kind::drain}));
}

TEST_F(ChannelTest, WaitsForAMessage) {
  std::thread sender([this] { ours.send({.kind = Kind::drain}); });
  EXPECT_EQ(theirs.receive_wait(received), Channel::State::received);
  sender.join();
  ours.take().reset();
  EXPECT_EQ(theirs.receive_wait(received), Channel::State::closed);
}

}  // namespace
}  // namespace serval::ipc
