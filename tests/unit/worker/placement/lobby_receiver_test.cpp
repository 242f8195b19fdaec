#include "worker/placement/lobby_receiver.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include <gmock/gmock.h>

#include "entrance.hpp"
#include "ipc/lobby.hpp"
#include "scoreboard/reader.hpp"
#include "worker/placement/moved.hpp"

namespace serval::worker::placement::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class LobbyReceiverTest : public EntranceTest {
 protected:
  LobbyReceiverTest() {
    handler.on_take = [](server::Exchange& exchange) {
      return answer(exchange, std::string(exchange.request().target) + " of " + std::string(exchange.origin().peer));
    };
    receiver.start();
  }
  ~LobbyReceiverTest() override { end(); }  // before the receiver, which the loop may call until then
  /// Comes from another worker, which has read this much of it.
  Client guest(std::string_view unread = {},
               const http::History& history = {.accepted = Clock::now(), .last_activity = Clock::now(), .requests = 1},
               std::uint32_t leaves = 0) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd server(ends[1]);
    ipc::Guest what = guest_of(history, {"198.51.100.9", 99});
    what.leaves = leaves;
    EXPECT_EQ(ipc::send_guest(lobby.entry.get(), what, server.get(), unread), ipc::Sent::sent);
    return Client(UniqueFd(ends[0]));
  }

  ipc::Lobby lobby = std::move(*ipc::make_lobby());
  LobbyReceiver receiver{entrance, UniqueFd(::dup(lobby.exit.get()))};
};

TEST_F(LobbyReceiverTest, AGuestGoesOnWhereItWas) {
  Client client = guest();
  client.send(get("/next"));
  EXPECT_THAT(until(client, "9"), EndsWith("/next of 198.51.100.9"));
  EXPECT_EQ(connection().history().requests, 2);
}

TEST_F(LobbyReceiverTest, ARequestThatWasReadElsewhereIsServedHere) {
  Client client = guest(get("/read") + get("/too"));
  EXPECT_THAT(until(client, "/too of 198.51.100.9"), HasSubstr("/read of 198.51.100.9"));
}

TEST_F(LobbyReceiverTest, WhatWaitsIsLeftToASiblingAtEaseForAMoment) {
  serves_at_ease(0);
  const Client client = guest();
  const TimePoint begin = Clock::now();
  run_until([&] { return !hub().connections().empty(); });
  EXPECT_GE(Clock::now() - begin, 3 * kBetweenLooks);
}

TEST_F(LobbyReceiverTest, WhatIsDrawnForTheOtherGenerationIsLeftToIt) {
  std::vector<Client> clients;
  const auto waits = [&](std::uint32_t leaves) {
    clients.push_back(guest({}, {.accepted = Clock::now(), .last_activity = Clock::now(), .requests = 1}, leaves));
    const TimePoint begin = Clock::now();
    run_until([&] { return hub().connections().size() == clients.size(); });
    return Clock::now() - begin;
  };
  serves_at_ease(2);
  compare({.generation = 2, .permille = 500});
  EXPECT_LT(waits(2), 3 * kBetweenLooks);
  EXPECT_GE(waits(1), 3 * kBetweenLooks) << "it takes it in the end, if nobody else does";
  compare({});
  EXPECT_LT(waits(1), 3 * kBetweenLooks) << "who it was drawn for is gone";
}

TEST_F(LobbyReceiverTest, WhatIsNoConnectionIsDroppedAndTheNextOneTaken) {
  ASSERT_EQ(::send(lobby.entry.get(), "rubbish", 7, 0), 7);
  Client client = guest(get("/read"));
  until(client, "/read of 198.51.100.9");
  receiver.finish();
}

TEST_F(LobbyReceiverTest, ALobbyThatWasShutDownIsLeft) {
  ASSERT_EQ(::shutdown(lobby.entry.get(), SHUT_RDWR), 0);
  run_until([&] { return !receiver.open(); });
}

TEST_F(LobbyReceiverTest, AGuestCountsAsAConnectionButNotAsAnAcceptedOne) {
  const Client client = guest();
  run_until([&] { return !hub().connections().empty(); });
  EXPECT_EQ(scoreboard::read_slot(memory, 1).connections, 1);
  EXPECT_EQ(scoreboard::accepted(memory, 1), 0u);
}

TEST_F(LobbyReceiverTest, ADrainTakesWhatWaitsAndEndsThere) {
  receiver.hold();
  Client first = guest(get("/1"));
  Client second = guest(get("/2"));
  run_dry();
  receiver.release();
  bool empty = false;
  receiver.drain([&] { empty = true; });
  run_until([&] { return empty; });
  EXPECT_FALSE(receiver.open());
  until(first, "/1 of 198.51.100.9");
  until(second, "/2 of 198.51.100.9");
}

}  // namespace
}  // namespace serval::worker::placement::test
