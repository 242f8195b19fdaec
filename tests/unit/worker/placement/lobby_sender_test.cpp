#include "worker/placement/lobby_sender.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "fleet.hpp"
#include "ipc/lobby.hpp"
#include "worker/placement/moved.hpp"

namespace serval::worker::placement::test {
namespace {

using ::testing::Contains;
using ::testing::EndsWith;

class LobbySenderTest : public Fleet {
 protected:
  LobbySenderTest() { moves = &sender; }
  ~LobbySenderTest() override { end(); }

  void drain() {
    farewell.draining = true;
    sender.begin();
    hub().say_farewell();
  }
  /// Takes out one that waits in the lobby; false: none does.
  bool arrive() {
    ipc::Arrival arrival;
    if (ipc::receive_guest(lobby.exit.get(), arrival) != ipc::Arrived::arrived) return false;
    arrivals.push_back(std::move(arrival));
    return true;
  }
  void fill_lobby() {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd guest(ends[0]);
    const UniqueFd other(ends[1]);
    while (ipc::send_guest(lobby.entry.get(), guest_of({}, {"unix", 0}), guest.get()) == ipc::Sent::sent) {
    }
  }
  void empty_lobby() {
    while (arrive()) {
    }
    arrivals.clear();
  }
  /// A connection that has had one answer.
  Client& answered() {
    Client& client = connect();
    client.send(get("/"));
    until(client, "ok");
    return client;
  }

  ipc::Lobby lobby = std::move(*ipc::make_lobby());
  std::vector<ipc::Arrival> arrivals;
  int empties = 0;
  int given_up = 0;
  LoadShedding shedding{board(), fleet, [this] { return static_cast<int>(hub().connections().size()); }};
  LobbySender sender{io,           lobby.entry.get(),
                     farewell,     shedding,
                     side_changes, {.on_empty = [this] { ++empties; }, .on_give_up = [this] { ++given_up; }}};
};

TEST_F(LobbySenderTest, ConnectionsThatWaitMoveWhenTheWorkerDrains) {
  Client& client = answered();
  drain();
  run_until([&] { return hub().connections().empty(); });
  ASSERT_TRUE(arrive());
  EXPECT_EQ(history_of(arrivals[0].guest, Clock::now()).requests, 1);
  EXPECT_EQ(peer_of(arrivals[0].guest).address, "192.0.2.7");
  EXPECT_EQ(arrivals[0].unread, "");
  EXPECT_FALSE(client.ended());
  EXPECT_EQ(::send(arrivals[0].connection.get(), "from there", 10, 0), 10);
  EXPECT_EQ(until(client, "there"), "from there");
  EXPECT_EQ(empties, 1);
  EXPECT_GT(sender.last_sent(), TimePoint::min());
}

TEST_F(LobbySenderTest, OneWithARequestInHandMovesWhenItIsAnswered) {
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  drain();
  run_dry();
  EXPECT_FALSE(arrive());
  server::Exchange& exchange = handler.last();
  answer(exchange, "answered here");
  exchange.done();
  run_until([&] { return hub().connections().empty(); });
  EXPECT_THAT(client.received(), EndsWith("answered here"));
  EXPECT_TRUE(arrive());
}

TEST_F(LobbySenderTest, ThoseThatWaitGoAFewInATurnOfTheLoop) {
  for (int i = 0; i < 100; ++i) connect();
  run_dry();
  std::vector<std::size_t> left;  // at each turn
  std::function<void()> look = [&] {
    left.push_back(hub().connections().size());
    if (left.back() > 0) boost::asio::post(io, look);
    arrive();
  };
  drain();
  boost::asio::post(io, look);
  run_until([&] { return hub().connections().empty(); });
  run_dry();
  EXPECT_THAT(left, Contains(36)) << "64 have gone, and the loop had something else to do";
}

TEST_F(LobbySenderTest, WhileTheLobbyIsFullConnectionsAreServedOn) {
  fill_lobby();
  Client& client = answered();
  drain();
  client.send(get("/"));
  until(client, "ok");
  EXPECT_EQ(hub().connections().size(), 1u);
  EXPECT_EQ(given_up, 0);
  empty_lobby();
  run_until([&] { return hub().connections().empty(); });
  EXPECT_TRUE(arrive());
}

TEST_F(LobbySenderTest, ALobbyThatTakesNobodyForASecondIsGivenUp) {
  fill_lobby();
  answered();
  const TimePoint begin = Clock::now();
  drain();
  run_until([&] { return given_up > 0; });
  EXPECT_GE(Clock::now() - begin, 1s);
  EXPECT_FALSE(sender.moving());
  EXPECT_EQ(hub().connections().size(), 1u);
}

TEST_F(LobbySenderTest, ALobbyWithoutAnotherEndIsGivenUpAtOnce) {
  lobby.exit.reset();
  answered();
  const TimePoint begin = Clock::now();
  drain();
  run_until([&] { return given_up > 0; });
  EXPECT_LT(Clock::now() - begin, 1s);
  EXPECT_EQ(given_up, 1);
}

TEST_F(LobbySenderTest, OnceOthersDoNotTakeOverAnyMoreNothingMoves) {
  answered();
  drain();
  sender.end();
  run_dry();
  EXPECT_EQ(hub().connections().size(), 1u);
  EXPECT_FALSE(arrive());
}

TEST_F(LobbySenderTest, WithoutALobbyNothingMoves) {
  LobbySender none(io, -1, farewell, shedding, side_changes, {});
  none.begin();
  EXPECT_FALSE(none.possible());
  EXPECT_FALSE(none.moving());
}

TEST_F(LobbySenderTest, KnowsWhetherAnyConnectionStillWaits) {
  fill_lobby();
  Client& client = answered();
  EXPECT_TRUE(sender.empty()) << "nobody asks before the drain";
  drain();
  EXPECT_FALSE(sender.empty());
  client.leaves();
  run_until([&] { return sender.empty(); });
  EXPECT_EQ(empties, 1);
}

// ---- An overloaded loop

TEST_F(LobbySenderTest, AnOverloadedLoopGivesAwayOneThatHasJustBeenAnswered) {
  serves_at_ease(2);
  answered();
  Client& next = answered();
  shedding.on_load(true, true);
  next.send(get("/"));
  until(next, "ok");
  run_until([&] { return hub().connections().size() == 1; });
  ASSERT_TRUE(arrive());
  EXPECT_EQ(history_of(arrivals[0].guest, Clock::now()).requests, 2);
}

TEST_F(LobbySenderTest, ANewcomerStaysWhereItWasAccepted) {
  serves_at_ease(2);
  answered();
  shedding.on_load(true, true);
  connect();
  run_dry();
  EXPECT_EQ(hub().connections().size(), 2u);
}

// ---- A request that waits for a thread

TEST_F(LobbySenderTest, ARequestThatNoThreadHasMovesWithItsBytes) {
  handler.keep();
  Client& client = connect();
  const std::string bytes = post("/moves", "its body");
  client.send(bytes);
  run_until_pending();
  ASSERT_TRUE(sender.send_request(*handler.last().connection()));
  ASSERT_TRUE(arrive());
  EXPECT_EQ(arrivals[0].unread, bytes);
  EXPECT_EQ(history_of(arrivals[0].guest, Clock::now()).requests, 0) << "it begins there";
  EXPECT_FALSE(client.ended());
  run_dry();
  EXPECT_TRUE(hub().connections().empty());
  EXPECT_TRUE(observer.over.empty()) << "it is not over";
  EXPECT_TRUE(handler.abandoned.empty());
}

TEST_F(LobbySenderTest, ABodyThatCameApartFromItsHeadMovesToo) {
  handler.keep();
  Client& client = connect();
  const std::string bytes = post("/moves", "its body");
  client.send(std::string_view(bytes).substr(0, bytes.size() - 5));
  run_dry();
  client.send(std::string_view(bytes).substr(bytes.size() - 5));
  run_until_pending();
  ASSERT_TRUE(sender.send_request(*handler.last().connection()));
  ASSERT_TRUE(arrive());
  EXPECT_EQ(arrivals[0].unread, bytes);
}

TEST_F(LobbySenderTest, ARequestThatIsTooLargeStays) {
  handler.keep();
  Client& client = connect();
  client.send(post("/stays", std::string(ipc::kMaxUnreadBytes, 'x')));
  run_until_pending();
  EXPECT_FALSE(sender.send_request(connection()));
  EXPECT_FALSE(arrive());
  EXPECT_TRUE(connection().waits_for_answer());
}

TEST_F(LobbySenderTest, AChunkedBodyThatCameApartStaysSinceItsBytesAreGone) {
  handler.keep();
  Client& client = connect();
  client.send("POST /stays HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo");
  run_dry();
  client.send("dy\r\n0\r\n\r\n");
  run_until_pending();
  EXPECT_FALSE(sender.send_request(connection()));
  EXPECT_TRUE(connection().waits_for_answer());
}

TEST_F(LobbySenderTest, ARequestStaysWhileTheLobbyIsFull) {
  fill_lobby();
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  EXPECT_FALSE(sender.send_request(connection()));
  server::Exchange& exchange = handler.last();
  answer(exchange, "answered here");
  exchange.done();
  EXPECT_THAT(until(client, "here"), EndsWith("answered here"));
}

TEST_F(LobbySenderTest, WhileGenerationsAreComparedAConnectionChangesWithAnAnswer) {
  compare({.generation = 2, .permille = 1000});
  Client& client = answered();
  EXPECT_FALSE(arrive()) << "it may have come from the other one a moment ago";
  const TimePoint begin = Clock::now();
  run_until([&] {
    if (hub().connections().empty()) return true;
    client.send(get("/"));
    until(client, "ok");
    return false;
  });
  EXPECT_GE(Clock::now() - begin, kBetweenDraws);
  ASSERT_TRUE(arrive());
  EXPECT_EQ(arrivals[0].guest.leaves, 1u);
}

TEST_F(LobbySenderTest, WithoutALobbyNothingChanges) {
  LobbySender nowhere{io, -1, farewell, shedding, side_changes, {}};
  moves = &nowhere;
  compare({.generation = 2, .permille = 1000});
  Client& client = answered();
  const TimePoint begin = Clock::now();
  run_until([&] { return Clock::now() - begin > kBetweenDraws; });
  client.send(get("/"));
  until(client, "ok");
  EXPECT_EQ(hub().connections().size(), 1u);
}

}  // namespace
}  // namespace serval::worker::placement::test
