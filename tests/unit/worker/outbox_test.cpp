#include "worker/outbox.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <utility>
#include <vector>

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

struct OutboxTest : testing::Test {
  OutboxTest() {
    auto pair = ipc::Channel::pair();
    master = std::move(pair->first);
    ours = std::move(pair->second);
  }
  /// As many as the pipe takes.
  std::uint32_t fill() {
    std::uint32_t sent = 0;
    while (ours.send({.tag = sent})) ++sent;
    return sent;
  }
  /// The tags of what has arrived.
  std::vector<std::uint32_t> read() {
    std::vector<std::uint32_t> tags;
    ipc::Channel::Received received;
    while (master.receive(received) == ipc::Channel::State::received) tags.push_back(received.packet.tag);
    return tags;
  }

  boost::asio::io_context io;
  ipc::Channel master, ours;
};

TEST_F(OutboxTest, WhatDoesNotFitArrivesInItsOrderOnceThereIsRoom) {
  const std::uint32_t fit = fill();
  Outbox outbox(io, ours);
  for (std::uint32_t tag = fit; tag < fit + 100; ++tag) EXPECT_TRUE(outbox.send({.tag = tag}));
  EXPECT_EQ(outbox.waiting(), 100U);
  io.poll();
  EXPECT_EQ(outbox.waiting(), 100U) << "there is no room";
  std::vector<std::uint32_t> arrived;
  while (arrived.size() < fit + 100) {
    const auto some = read();
    ASSERT_FALSE(some.empty());
    arrived.insert(arrived.end(), some.begin(), some.end());
    io.run_for(1ms);
  }
  for (std::uint32_t tag = 0; tag < arrived.size(); ++tag) EXPECT_EQ(arrived[tag], tag);
  EXPECT_TRUE(outbox.send({.tag = 7}));
  EXPECT_EQ(read(), std::vector<std::uint32_t>{7}) << "at once again";
}

TEST_F(OutboxTest, WhatIsTriedAgainDoesNotWait) {
  fill();
  Outbox outbox(io, ours);
  EXPECT_FALSE(outbox.send_if_room({.tag = 1}));
  EXPECT_TRUE(outbox.send({.tag = 2}));
  read();
  EXPECT_FALSE(outbox.send_if_room({.tag = 3})) << "it would overtake";
  io.run_for(1ms);
  EXPECT_TRUE(outbox.send_if_room({.tag = 4}));
  EXPECT_EQ(read(), (std::vector<std::uint32_t>{2, 4}));
}

TEST_F(OutboxTest, HoldsNoMoreThanItMay) {
  fill();
  Outbox outbox(io, ours);
  for (std::size_t i = 0; i < Outbox::kMostWaiting; ++i) ASSERT_TRUE(outbox.send({}));
  EXPECT_FALSE(outbox.send({}));
}

TEST_F(OutboxTest, AtTheEndItWaitsForAWhile) {
  fill();
  Outbox outbox(io, ours);
  ASSERT_TRUE(outbox.send({.tag = 99}));
  EXPECT_FALSE(outbox.finish(5ms));
  read();
  EXPECT_TRUE(outbox.finish(1s));
  EXPECT_EQ(read(), std::vector<std::uint32_t>{99});
}

TEST_F(OutboxTest, WithoutAMasterNothingWaits) {
  fill();
  Outbox outbox(io, ours);
  ASSERT_TRUE(outbox.send({}));
  ::signal(SIGPIPE, SIG_IGN);
  master.close();
  EXPECT_TRUE(outbox.finish(1s));
  EXPECT_FALSE(outbox.send({}));
}

}  // namespace
}  // namespace serval::worker
