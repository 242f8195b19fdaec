#include "worker/descriptors.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "../server/engine.hpp"
#include "os/own_fds.hpp"
#include "worker/room.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;
using server::test::Client;
using server::test::get;

class DescriptorsTest : public server::test::Engine {
 protected:
  ~DescriptorsTest() override { end(); }

  Client& idle_since(Clock::duration time) {
    const TimePoint then = Clock::now() - time;
    Client& client = connect({.accepted = then, .last_activity = then, .requests = 1, .untouched = false}, {});
    run_dry();
    return client;
  }

  int starved = 0;
  Descriptors descriptors{io, hub(), [this](const std::string&) { ++starved; }};
};

TEST_F(DescriptorsTest, ThoseFirstThatHaveBeenIdleForTheLongest) {
  Client& second = idle_since(20s);
  Client& first = idle_since(30s);
  Client& third = idle_since(10s);
  EXPECT_EQ(descriptors.close_idle(), 1u);
  EXPECT_TRUE(first.ended());
  EXPECT_FALSE(second.ended());
  run_dry();
  EXPECT_TRUE(descriptors.make_room());
  EXPECT_TRUE(second.ended());
  EXPECT_FALSE(third.ended());
}

TEST_F(DescriptorsTest, OneThatIsClosedIsNoIdleOneAnyMore) {
  idle_since(10s);
  EXPECT_EQ(descriptors.close_idle(), 1u);
  EXPECT_EQ(descriptors.close_idle(), 0u) << "its last operation is still under way";
  run_dry();
  EXPECT_EQ(descriptors.close_idle(), 0u);
}

TEST_F(DescriptorsTest, AConnectionWithARequestInHandIsNotClosed) {
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  EXPECT_EQ(descriptors.close_idle(), 0u);
  EXPECT_FALSE(descriptors.make_room());
  EXPECT_FALSE(client.ended());
}

TEST_F(DescriptorsTest, ADrainHasADescriptorInReserveOnce) {
  EXPECT_FALSE(descriptors.make_room()) << "others can wait for better times";
  farewell.draining = true;
  EXPECT_TRUE(descriptors.make_room());
  EXPECT_FALSE(descriptors.make_room());
  descriptors.on_closed();
  EXPECT_TRUE(descriptors.make_room()) << "a connection that closed has filled it again";
}

TEST_F(DescriptorsTest, AMomentWithoutADescriptorIsNoReasonToEnd) {
  EXPECT_FALSE(descriptors.make_room());
  EXPECT_FALSE(descriptors.make_room());
  EXPECT_EQ(starved, 0);
}

TEST_F(DescriptorsTest, WhatIsCrowdedIsWhatTheLimitSays) {
  const int from = crowded_from(os::fd_limit());
  EXPECT_FALSE(descriptors.crowded(from - 1));
  EXPECT_TRUE(descriptors.crowded(from));
}

}  // namespace
}  // namespace serval::worker
