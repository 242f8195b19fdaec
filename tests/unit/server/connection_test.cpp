#include "server/connection.hpp"

#include <boost/asio/post.hpp>

#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine.hpp"

namespace serval::server::test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Over = Recorder::Over;

class ConnectionTest : public Engine {};

Over ok(std::string target, std::uint64_t bytes_out) { return {std::move(target), 200, Outcome::ok, "", bytes_out}; }

Taken echo_target(Exchange& exchange) { return answer(exchange, "<" + std::string(exchange.request().target) + ">"); }

std::string pipelined(std::string_view prefix, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += get(std::string(prefix) + std::to_string(i));
  return all;
}

// ---- One request after another

TEST_F(ConnectionTest, AnswersPipelinedRequestsInTheirOrder) {
  handler.on_take = echo_target;
  Client& client = connect();
  client.send(get("/1") + get("/2") + get("/3"));
  const std::string all = until(client, "</3>");
  EXPECT_LT(all.find("</1>"), all.find("</2>"));
  EXPECT_THAT(observer.over, ElementsAre(ok("/1", 4), ok("/2", 4), ok("/3", 4)));
}

TEST_F(ConnectionTest, TheNextPipelinedRequestWaitsForTheAnswerBefore) {
  handler.keep();
  Client& client = connect();
  client.send(get("/1") + get("/2"));
  run_until_pending();
  run_dry();
  EXPECT_THAT(handler.targets, ElementsAre("/1"));

  Exchange& first = handler.last();
  answer(first, "late");
  first.done();
  run_until_pending();
  EXPECT_THAT(handler.targets, ElementsAre("/1", "/2"));
  EXPECT_THAT(client.received(), EndsWith("\r\n\r\nlate"));
}

TEST_F(ConnectionTest, AFullPipelineLetsOthersHaveTheirTurnAfterSixteen) {
  Client& busy = connect();
  Client& other = connect();
  busy.send(pipelined("/b", 40));
  other.send(get("/other"));
  run_until_over(41);
  const auto at = std::find(handler.targets.begin(), handler.targets.end(), "/other");
  EXPECT_LE(at - handler.targets.begin(), 16);
}

TEST_F(ConnectionTest, ARequestThatComesInPiecesIsOne) {
  Client& client = connect();
  for (const char byte : get("/slow")) {
    client.send({&byte, 1});
    run_dry();
  }
  until(client, "ok");
  EXPECT_THAT(observer.over, ElementsAre(ok("/slow", 2)));
}

// ---- Late answers

TEST_F(ConnectionTest, AnotherThreadMayAnswer) {
  handler.keep();
  Client& client = connect();
  client.send(get("/late"));
  run_until_pending();
  Exchange& exchange = handler.last();
  std::thread app([&] {
    answer(exchange, "from another thread");
    boost::asio::post(io, [&exchange] { exchange.done(); });
  });
  EXPECT_THAT(until(client, "thread"), StartsWith("HTTP/1.1 200 OK\r\n"));
  app.join();
  EXPECT_EQ(handler.done, 1);
  EXPECT_THAT(observer.over, ElementsAre(ok("/late", 19)));
}

TEST_F(ConnectionTest, AClientThatLeftMeanwhileIsLoggedAsGone) {
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  client.leaves();
  Exchange& exchange = handler.last();
  answer(exchange, "nobody reads this");
  exchange.done();
  run_until([&] { return observer.connections_over == 1; });
  ASSERT_EQ(observer.over.size(), 1u);
  EXPECT_EQ(observer.over[0].status, 499);
  EXPECT_EQ(observer.over[0].outcome, Outcome::client_gone);
}

TEST_F(ConnectionTest, AClientThatHasOnlyEndedItsDirectionIsLoggedAsGoneAndAnsweredAllTheSame) {
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  client.ends_its_direction();
  run_until_pending();
  Exchange& exchange = handler.last();
  answer(exchange, "all the same");
  exchange.done();
  EXPECT_THAT(until_ended(client), EndsWith("all the same"));
  EXPECT_THAT(observer.over, ElementsAre(Over{"/", 499, Outcome::client_gone, "", 12}));
}

TEST_F(ConnectionTest, AClientThatLeavesInTheMiddleOfItsRequestIsLoggedAsGone) {
  Client& client = connect();
  client.send("GET /half HTTP/1.1\r\nHo");
  run_dry();
  client.leaves();
  run_until([&] { return observer.connections_over == 1; });
  EXPECT_THAT(observer.over, ElementsAre(Over{"", 499, Outcome::client_gone, "", 0}));
  EXPECT_THAT(handler.targets, IsEmpty());
}

TEST_F(ConnectionTest, AHandlerMayLeaveTheStackAndAnswerLater) {
  handler.on_take = [&](Exchange& exchange) -> Taken {
    handler.pending.push_back(&exchange);
    if (exchange.request().target == "/lost") throw LeavesTheStack{};
    return answer(exchange, "next");
  };
  Client& client = connect();
  client.send(get("/lost") + get("/next"));
  run_until_pending();
  run_dry();
  EXPECT_TRUE(connection().waits_for_answer());
  Exchange& exchange = *handler.pending.front();
  handler.pending.clear();
  answer(exchange, "late");
  exchange.done();
  EXPECT_THAT(until(client, "next"), HasSubstr("\r\n\r\nlateHTTP/1.1 200"));
  EXPECT_THAT(observer.over, ElementsAre(ok("/lost", 4), ok("/next", 4)));
  handler.pending.clear();
}

// ---- 100 Continue

TEST_F(ConnectionTest, WhoExpectsItIsToldToContinueBeforeTheAnswer) {
  Client& client = connect();
  client.send("POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(until(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(handler.targets, IsEmpty());
  client.send("body");
  EXPECT_THAT(until(client, "ok"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(observer.over, ElementsAre(ok("/", 2)));
}

TEST_F(ConnectionTest, AContinueWaitsInTheQueueBehindAnAnswerThatTheClientDoesNotTake) {
  const std::string large(2 << 20, 'x');
  handler.on_take = [&](Exchange& exchange) {
    return answer(exchange, exchange.request().method == "GET" ? large : "posted");
  };
  Client& client = connect();
  client.send(get("/large") + "POST / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_THAT(until(client, "HTTP/1.1 100 Continue\r\n\r\n"), HasSubstr("xxxHTTP/1.1 100"));
  client.send("body");
  until(client, "posted");
  EXPECT_THAT(observer.over, ElementsAre(ok("/large", large.size()), ok("/", 6)));
}

// ---- The PROXY prefix

class ConnectionBehindProxy : public ConnectionTest {
 protected:
  ConnectionBehindProxy() {
    settings.proxy_protocol = true;
    settings.is_trusted = [](std::string_view address) { return address == "10.0.0.1"; };
    handler.on_take = [](Exchange& exchange) {
      const PeerOrigin& origin = exchange.origin();
      return answer(exchange, "for " + std::string(origin.peer) + ":" + std::to_string(origin.peer_port) + ".");
    };
  }
  Client& from_proxy() { return connect({"10.0.0.1", 99}); }
  static constexpr std::string_view kPrefix = "PROXY TCP4 198.51.100.9 10.0.0.1 1234 80\r\n";
};

TEST_F(ConnectionBehindProxy, ThePrefixNamesTheClient) {
  Client& client = from_proxy();
  client.send(std::string(kPrefix) + get("/"));
  EXPECT_THAT(until(client, "."), EndsWith("\r\n\r\nfor 198.51.100.9:1234."));
}

TEST_F(ConnectionBehindProxy, ThePrefixMayComeInPieces) {
  Client& client = from_proxy();
  for (const char byte : std::string(kPrefix)) {
    client.send({&byte, 1});
    run_dry();
  }
  client.send(get("/"));
  EXPECT_THAT(until(client, "."), EndsWith("\r\n\r\nfor 198.51.100.9:1234."));
}

TEST_F(ConnectionBehindProxy, TheClientHoldsForAllRequestsOfTheConnection) {
  Client& client = from_proxy();
  client.send(std::string(kPrefix) + get("/1"));
  until(client, ".");
  client.send(get("/2"));
  EXPECT_THAT(until(client, "."), EndsWith("\r\n\r\nfor 198.51.100.9:1234."));
}

TEST_F(ConnectionBehindProxy, AProxyThatSpeaksForItselfIsThePeer) {
  Client& client = from_proxy();
  client.send("PROXY UNKNOWN\r\n" + get("/"));
  EXPECT_THAT(until(client, "."), EndsWith("\r\n\r\nfor 10.0.0.1:99."));
}

TEST_F(ConnectionBehindProxy, WithoutAPrefixTheConnectionIsRefused) {
  Client& client = from_proxy();
  client.send(get("/"));
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  ASSERT_EQ(observer.over.size(), 1u);
  EXPECT_EQ(observer.over[0].status, 400);
  EXPECT_EQ(observer.over[0].outcome, Outcome::refused);
  EXPECT_THAT(handler.targets, IsEmpty());
}

TEST_F(ConnectionBehindProxy, ASecondPrefixIsNoRequest) {
  Client& client = from_proxy();
  client.send(std::string(kPrefix) + std::string(kPrefix) + get("/"));
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(handler.targets, IsEmpty());
}

TEST_F(ConnectionBehindProxy, APrefixOfAPeerThatIsNotTrustedIsNoRequest) {
  Client& client = connect({"192.0.2.7", 4711});
  client.send(std::string(kPrefix) + get("/"));
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ConnectionBehindProxy, AConnectionThatWasReadFromElsewhereHasItsPrefixBehindIt) {
  const TimePoint now = Clock::now();
  Client& client = connect({.accepted = now, .last_activity = now, .requests = 1, .untouched = false}, {});
  client.send(get("/"));
  EXPECT_THAT(until(client, "."), EndsWith("\r\n\r\nfor 192.0.2.7:4711."));
}

TEST_F(ConnectionBehindProxy, WhatTheNamedClientSaysOfItselfIsNotBelieved) {
  Client& client = from_proxy();
  std::string id;
  handler.on_take = [&, before = handler.on_take](Exchange& exchange) {
    id = exchange.request_id();
    EXPECT_FALSE(exchange.from_trusted_peer());
    return before(exchange);
  };
  client.send(std::string(kPrefix) + get("/", "X-Forwarded-For: 203.0.113.1\r\nX-Request-Id: theirs\r\n"));
  EXPECT_THAT(until(client, "."), EndsWith("\r\n\r\nfor 198.51.100.9:1234."));
  EXPECT_NE(id, "theirs");
}

// ---- Time limits

TEST_F(ConnectionTest, AHeadThatDoesNotComeInTimeIsAnsweredWith408) {
  settings.timeouts.header = 50ms;
  Client& client = connect();
  client.send("GET /sl");
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 408 "));
  ASSERT_EQ(observer.over.size(), 1u);
  EXPECT_EQ(observer.over[0].outcome, Outcome::timeout);
}

TEST_F(ConnectionTest, AnIdleConnectionIsClosedInSilence) {
  settings.timeouts.keep_alive = 50ms;
  Client& client = connect();
  client.send(get("/"));
  until(client, "ok");
  EXPECT_EQ(until_ended(client), "");
  EXPECT_EQ(observer.over.size(), 1u);
}

TEST_F(ConnectionTest, AClientThatDoesNotTakeItsAnswerIsGivenUp) {
  settings.timeouts.write = 50ms;
  const std::string large(8 << 20, 'x');
  handler.on_take = [&](Exchange& exchange) { return answer(exchange, large); };
  Client& client = connect();
  client.send(get("/large"));
  run_until_over();
  EXPECT_EQ(observer.over[0].status, 200);
  EXPECT_EQ(observer.over[0].outcome, Outcome::timeout);
  EXPECT_GT(observer.over[0].bytes_out, 0u);
  EXPECT_LT(observer.over[0].bytes_out, large.size());
  run_until([&] { return observer.connections_over == 1; });
}

TEST_F(ConnectionTest, NothingIsDueWhileTheHandlerRuns) {
  settings.timeouts = {.header = 50ms, .body = 50ms, .write = 50ms, .keep_alive = 50ms};
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  const TimePoint begin = Clock::now();
  run_until([&] { return Clock::now() > begin + 200ms; });
  EXPECT_FALSE(client.ended());
  Exchange& exchange = handler.last();
  answer(exchange, "late");
  exchange.done();
  until(client, "late");
}

// ---- Elsewhere

TEST_F(ConnectionTest, AMigrationMayTakeAConnectionThatWaits) {
  UniqueFd elsewhere;
  migration.wait = [&](Connection& connection) {
    if (connection.history().requests == 0) return false;
    elsewhere.reset(::dup(connection.fd()));
    connection.release();
    return true;
  };
  Client& client = connect();
  client.send(get("/"));
  until(client, "ok");
  run_until([&] { return observer.connections_over == 1; });
  EXPECT_TRUE(hub().connections().empty());
  EXPECT_FALSE(client.ended()) << "released, and shut down for its new owner";
  EXPECT_EQ(::write(elsewhere.get(), "on it goes", 10), 10);
  EXPECT_EQ(until(client, "goes"), "on it goes");
}

TEST_F(ConnectionTest, AnInterruptedWaitAsksTheMigrationAgain) {
  connect();
  run_dry();
  EXPECT_EQ(migration.waits, 1);
  EXPECT_TRUE(connection().rests());
  connection().interrupt();
  run_until([&] { return migration.waits == 2; });
  run_dry();
  EXPECT_TRUE(connection().rests());
}

TEST_F(ConnectionTest, AnInterruptedConnectionStillHearsItsClient) {
  Client& client = connect();
  run_dry();
  client.send(get("/"));
  connection().interrupt();
  until(client, "ok");
}

TEST_F(ConnectionTest, AListedConnectionLeavesTheListWhenItsRequestBegins) {
  boost::intrusive::list<Connection,
                         boost::intrusive::member_hook<Connection, Connection::WaitingHook, &Connection::waiting_hook>,
                         boost::intrusive::constant_time_size<false>>
      listed;
  Client& client = connect();
  run_dry();
  listed.push_back(connection());
  client.send(get("/"));
  until(client, "ok");
  EXPECT_THAT(migration.waits_over, ElementsAre(&connection()));
  EXPECT_TRUE(listed.empty());

  listed.push_back(connection());
  connection().close();
  EXPECT_EQ(migration.waits_over.size(), 2u);
  EXPECT_TRUE(listed.empty());
}

TEST_F(ConnectionTest, AGuestGoesOnWithWhatHasBeenReadElsewhere) {
  handler.on_take = echo_target;
  const TimePoint now = Clock::now();
  const std::string request = get("/from-elsewhere");
  const std::string_view read = std::string_view(request).substr(0, 10);
  Client& client = connect({.accepted = now, .last_activity = now, .requests = 3, .untouched = false}, read);
  client.send(std::string_view(request).substr(10));
  until(client, "</from-elsewhere>");
  EXPECT_EQ(connection().history().requests, 4);
}

TEST_F(ConnectionTest, ARequestInHandCanBeHadAsBytesAgain) {
  handler.keep();
  Client& client = connect();
  const std::string request = post("/again", "body");
  client.send(request + get("/next"));
  run_until_pending();
  std::string memory;
  EXPECT_EQ(connection().bytes_again(memory), request + get("/next"));
}

TEST_F(ConnectionTest, ARequestWhoseBodyIsAFileCannotBeHadAsBytes) {
  settings.spill_body = 10;
  handler.keep();
  Client& client = connect();
  client.send(post("/", std::string(50, 'x')).substr(0, 80));
  run_dry();
  client.send(post("/", std::string(50, 'x')).substr(80));
  run_until_pending();
  ASSERT_GE(handler.pending.back()->body().fd(), 0);
  std::string memory;
  EXPECT_EQ(connection().bytes_again(memory), "");
}

// ---- The end

TEST_F(ConnectionTest, AfterAGoodbyeTheAnswerInHandIsTheLast) {
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  farewell.draining = farewell.goodbye = true;
  hub().say_farewell();
  Exchange& exchange = handler.last();
  answer(exchange, "last");
  exchange.done();
  const std::string all = until_ended(client);
  EXPECT_THAT(all, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(all, EndsWith("last"));
}

TEST_F(ConnectionTest, ADrainWithoutGoodbyeLeavesAnswersAsTheyAre) {
  Client& client = connect();
  run_dry();
  farewell.draining = true;
  hub().say_farewell();
  EXPECT_THAT(migration.farewells, ElementsAre(&connection()));
  client.send(get("/"));
  EXPECT_THAT(until(client, "ok"), Not(HasSubstr("Connection: close")));
}

TEST_F(ConnectionTest, AfterAnAnswerThatClosesWhatTheClientSendsIsThrownAway) {
  Client& client = connect();
  client.send(get("/", "Connection: close\r\n") + get("/ignored"));
  until_ended(client);
  client.send(get("/ignored-too"));
  run_dry();
  EXPECT_THAT(handler.targets, ElementsAre("/"));
  client.leaves();
  run_until([&] { return observer.connections_over == 1; });
}

TEST_F(ConnectionTest, ACutRequestIsToldOfOnce) {
  handler.keep();
  Client& client = connect();
  client.send(get("/cut"));
  run_until_pending();
  EXPECT_TRUE(connection().cut());
  EXPECT_TRUE(connection().cut());
  EXPECT_THAT(observer.over, ElementsAre(Over{"/cut", 0, Outcome::cut, "", 0}));
}

TEST_F(ConnectionTest, AnAnswerIsCutWithWhatWasSentOfIt) {
  const std::string large(8 << 20, 'x');
  handler.on_take = [&](Exchange& exchange) { return answer(exchange, large); };
  Client& client = connect();
  client.send(get("/large"));
  run_until([&] { return !handler.targets.empty(); });
  run_dry();
  EXPECT_TRUE(connection().cut());
  ASSERT_EQ(observer.over.size(), 1u);
  EXPECT_EQ(observer.over[0].status, 200);
  EXPECT_EQ(observer.over[0].outcome, Outcome::cut);
  EXPECT_EQ(observer.over[0].bytes_out, client.received().size() - client.received().find("\r\n\r\n") - 4);
}

TEST_F(ConnectionTest, AnIdleConnectionHasNothingToCut) {
  Client& client = connect();
  client.send(get("/"));
  until(client, "ok");
  EXPECT_FALSE(connection().cut());
  EXPECT_EQ(observer.over.size(), 1u);
}

}  // namespace
}  // namespace serval::server::test
