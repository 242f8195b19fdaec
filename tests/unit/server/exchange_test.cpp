#include "server/exchange.hpp"

#include <sys/resource.h>

#include <csignal>
#include <string>

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

class ExchangeTest : public Engine {
 protected:
  /// Has one request answered like this; what the client gets up to the end of the connection.
  std::string answered(const std::string& request, std::function<Taken(Exchange&)> handler_function) {
    handler.on_take = std::move(handler_function);
    Client& client = connect();
    client.send(request);
    client.ends_its_direction();
    return until_ended(client);
  }
};

std::string respond(Exchange& exchange, int status, std::span<const http::Field> fields, std::string_view body) {
  return exchange.respond({.status = status, .fields = fields, .body = body, .release = {}});
}

// ---- The request as the handler sees it

TEST_F(ExchangeTest, ShowsTheRequestAndWhereItCameFrom) {
  answered(post("/path?query", "the body", "X-Any: thing\r\n"), [](Exchange& exchange) {
    EXPECT_EQ(exchange.request().method, "POST");
    EXPECT_EQ(exchange.request().path, "/path");
    EXPECT_EQ(exchange.request().query, "query");
    EXPECT_EQ(exchange.request().fields.back().value, "thing");
    EXPECT_EQ(exchange.body().view(), "the body");
    EXPECT_EQ(exchange.bytes_in(), 8u);
    EXPECT_EQ(exchange.origin().peer, "192.0.2.7");
    EXPECT_EQ(exchange.origin().peer_port, 4711);
    EXPECT_EQ(exchange.origin().scheme, "http");
    EXPECT_LE(exchange.first_byte(), exchange.complete());
    EXPECT_FALSE(exchange.from_trusted_peer());
    return answer(exchange, "ok");
  });
  EXPECT_EQ(observer.over.size(), 1u);
}

TEST_F(ExchangeTest, EachRequestHasAnIdOfItsOwnAndOnlyOneIsTheFirst) {
  std::vector<std::string> ids;
  std::vector<bool> firsts;
  answered(get("/1") + get("/2"), [&](Exchange& exchange) {
    ids.emplace_back(exchange.request_id());
    firsts.push_back(exchange.first_on_connection());
    return answer(exchange, "ok");
  });
  EXPECT_THAT(firsts, ElementsAre(true, false));
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0].size(), 32u);
  EXPECT_NE(ids[0], ids[1]);
}

class ExchangeFromProxy : public ExchangeTest {
 protected:
  struct Seen {
    std::string origin;
    std::string id;
    bool trusted = false;
  };
  Seen ask(const net::Peer& peer, std::string_view fields) {
    settings.is_trusted = [](std::string_view address) { return address.starts_with("10."); };
    Seen seen;
    handler.on_take = [&](Exchange& exchange) {
      const PeerOrigin& origin = exchange.origin();
      seen = {std::string(origin.scheme) + "://" + std::string(origin.peer) + ":" + std::to_string(origin.peer_port),
              std::string(exchange.request_id()), exchange.from_trusted_peer()};
      return answer(exchange, "ok");
    };
    Client& client = connect(peer);
    client.send(get("/", fields));
    until(client, "ok");
    return seen;
  }
  static constexpr std::string_view kSaid =
      "X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-Proto: https\r\nX-Request-Id: theirs\r\n";
};

TEST_F(ExchangeFromProxy, ATrustedPeerIsBelieved) {
  const Seen seen = ask({"10.0.0.1", 99}, kSaid);
  EXPECT_EQ(seen.origin, "https://198.51.100.9:0") << "nobody knows the port";
  EXPECT_EQ(seen.id, "theirs");
  EXPECT_TRUE(seen.trusted);
}

TEST_F(ExchangeFromProxy, AnyOtherPeerIsNot) {
  const Seen seen = ask({"192.0.2.7", 99}, kSaid);
  EXPECT_EQ(seen.origin, "http://192.0.2.7:99");
  EXPECT_NE(seen.id, "theirs");
  EXPECT_FALSE(seen.trusted);
}

TEST_F(ExchangeFromProxy, ATrustedPeerThatSaysNothingIsTheOrigin) {
  EXPECT_EQ(ask({"10.0.0.1", 99}, "").origin, "http://10.0.0.1:99");
}

TEST_F(ExchangeFromProxy, AnUnusableIdIsReplaced) {
  EXPECT_EQ(ask({"10.0.0.1", 99}, "X-Request-Id: with space\r\n").id.size(), 32u);
}

// ---- Bodies

TEST_F(ExchangeTest, ABodyBeyondTheLimitIsAMappedFile) {
  settings.spill_body = 1000;
  std::string body(5000, 'a');
  body.back() = 'z';
  handler.on_take = [&](Exchange& exchange) {
    EXPECT_GE(exchange.body().fd(), 0);
    EXPECT_TRUE(exchange.body().view() == body);
    return answer(exchange, "ok");
  };
  Client& client = connect();
  client.send(post("/", body));
  until(client, "ok");
}

TEST_F(ExchangeTest, TheNextRequestDoesNotInheritTheFile) {
  settings.spill_body = 1000;
  std::vector<bool> files;
  handler.on_take = [&](Exchange& exchange) {
    files.push_back(exchange.body().fd() >= 0);
    return answer(exchange, "ok");
  };
  Client& client = connect();
  client.send(post("/", std::string(5000, 'a')) + post("/", "small"));
  run_until_over(2);
  EXPECT_THAT(files, ElementsAre(true, false));
}

/// No file of this process grows beyond this size while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t size) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  void (*signal_)(int);
  rlimit before_{};
};

TEST_F(ExchangeTest, ABodyThatCannotBeStoredNeverReachesTheHandler) {
  settings.spill_body = 1000;
  Client& client = connect();
  {
    const FileSizeLimit limit(2000);
    client.send(post("/", std::string(5000, 'a')));
    run_until_over();
  }
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(handler.targets, IsEmpty());
  EXPECT_THAT(observer.troubles, ElementsAre(BodyTrouble::not_written));
  EXPECT_EQ(observer.over[0].outcome, Outcome::app_failed);
  EXPECT_EQ(observer.over[0].reason, "the request body could not be stored");
}

// ---- What may be answered

TEST_F(ExchangeTest, FieldsThatAreTheServersAreLeftOutAndReported) {
  const std::string all = answered(get("/"), [](Exchange& exchange) {
    const http::Field fields[] = {
        {"Connection", "close"}, {"X-Kept", "yes"}, {"Keep-Alive", "timeout=5"}, {"Transfer-Encoding", "chunked"}};
    EXPECT_EQ(respond(exchange, 200, fields, "ok"), "");
    return Taken::answered;
  });
  EXPECT_THAT(observer.dropped, ElementsAre("Connection", "Keep-Alive", "Transfer-Encoding"));
  EXPECT_THAT(all, HasSubstr("\r\nX-Kept: yes\r\n"));
  EXPECT_THAT(all, Not(HasSubstr("Connection")));
}

TEST_F(ExchangeTest, WhatCannotBeSentIsAnErrorAndThenTheAppHasFailed) {
  struct Case {
    int status;
    http::Field field;
    std::string_view why;
  };
  const Case cases[] = {
      {200, {"X-Split", "a\r\nSet-Cookie: b"}, "answered with the header \"X-Split\", which must not be sent: "},
      {200, {"Bad Name", "a"}, "answered with the header \"Bad Name\", which must not be sent: "},
      {200, {"Content-Length", "3"}, "answered with the header \"Content-Length\", which must not be sent: "},
      {200, {"Transfer-Encoding", "gzip"}, "answered with the header \"Transfer-Encoding\", which must not be sent: "},
      {101, {"Upgrade", "websocket"}, "answered with status 101: "},
      {600, {"X-Any", "a"}, "answered with status 600: "},
  };
  std::size_t over = 0;
  for (const Case& one : cases) {
    SCOPED_TRACE(one.field.name);
    const std::string all = answered(get("/"), [&](Exchange& exchange) {
      EXPECT_THAT(respond(exchange, one.status, {&one.field, 1}, "four"), StartsWith(one.why));
      exchange.fail();
      return Taken::answered;
    });
    EXPECT_THAT(all, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
    EXPECT_THAT(all, EndsWith("\r\n\r\nInternal Server Error\n"));
    ASSERT_EQ(observer.over.size(), ++over);
    EXPECT_EQ(observer.over.back(), (Over{"/", 500, Outcome::app_failed, "the app failed; the log says how", 22}));
  }
}

TEST_F(ExchangeTest, AFailureDoesNotEndTheConnection) {
  const std::string all = answered(get("/fails") + get("/next"), [](Exchange& exchange) {
    if (exchange.request().target == "/next") return answer(exchange, "next");
    exchange.fail();
    return Taken::answered;
  });
  EXPECT_THAT(all, EndsWith("next"));
}

TEST_F(ExchangeTest, AnswersWithoutABodySendNone) {
  struct Case {
    std::string_view method;
    int status;
    std::string_view length;  ///< what the head says
  };
  const Case cases[] = {{"HEAD", 200, "Content-Length: 4\r\n"},
                        {"GET", 204, ""},
                        {"GET", 304, ""},
                        {"GET", 205, "Content-Length: 0\r\n"}};
  std::size_t over = 0;
  for (const Case& one : cases) {
    SCOPED_TRACE(one.status);
    const std::string all =
        answered(std::string(one.method) + " / HTTP/1.1\r\nHost: here\r\n\r\n", [&](Exchange& exchange) {
          EXPECT_EQ(respond(exchange, one.status, {}, "body"), "");
          EXPECT_EQ(exchange.body_out(), 0u);
          return Taken::answered;
        });
    EXPECT_THAT(all, EndsWith(std::string(one.length) + "\r\n"));
    EXPECT_EQ(all.find("Content-Length") == std::string::npos, one.length.empty());
    ASSERT_EQ(observer.over.size(), ++over);
    EXPECT_EQ(observer.over.back().bytes_out, 0u);
  }
}

// ---- Lent bodies

/// A body that its owner wants back.
struct Lent {
  std::string bytes;
  int released = 0;

  http::Response response() {
    return {.status = 200,
            .fields = {},
            .body = bytes,
            .release = {[](void* context) { ++static_cast<Lent*>(context)->released; }, this, nullptr}};
  }
};

TEST_F(ExchangeTest, ALargeLentBodyIsSentFromWhereItIsAndReleasedOnce) {
  Lent lent{.bytes = std::string(4 << 20, 'x')};
  handler.on_take = [&](Exchange& exchange) {
    EXPECT_EQ(exchange.respond(lent.response()), "");
    return Taken::answered;
  };
  Client& client = connect();
  client.send(get("/"));
  run_until([&] { return !handler.targets.empty(); });
  run_dry();
  EXPECT_EQ(lent.released, 0);
  lent.bytes.back() = '!';  // the client sees it: there is no copy
  until(client, "x!");
  run_until_over();
  EXPECT_EQ(lent.released, 1);
  EXPECT_THAT(observer.over, ElementsAre(Over{"/", 200, Outcome::ok, "", 4 << 20}));
}

TEST_F(ExchangeTest, ASmallLentBodyIsCopiedAndReleasedAtOnce) {
  Lent lent{.bytes = "small"};
  const std::string all = answered(get("/"), [&](Exchange& exchange) {
    EXPECT_EQ(exchange.respond(lent.response()), "");
    EXPECT_EQ(lent.released, 1);
    return Taken::answered;
  });
  EXPECT_THAT(all, EndsWith("small"));
  EXPECT_EQ(lent.released, 1);
}

TEST_F(ExchangeTest, AClientThatLeavesInTheMiddleHasTheBodyReleasedOnce) {
  Lent lent{.bytes = std::string(4 << 20, 'x')};
  handler.on_take = [&](Exchange& exchange) {
    EXPECT_EQ(exchange.respond(lent.response()), "");
    return Taken::answered;
  };
  Client& client = connect();
  client.send(get("/"));
  run_until([&] { return client.received().size() > 1000; });
  client.leaves();
  run_until([&] { return observer.connections_over == 1; });
  EXPECT_EQ(lent.released, 1);
  ASSERT_EQ(observer.over.size(), 1u);
  EXPECT_EQ(observer.over[0].status, 499);
  EXPECT_EQ(observer.over[0].outcome, Outcome::client_gone);
  EXPECT_GT(observer.over[0].bytes_out, 0u);
  EXPECT_LT(observer.over[0].bytes_out, lent.bytes.size());
}

TEST_F(ExchangeTest, ABodyThatIsNotSentIsReleasedOnce) {
  const http::Field bad{"Bad Name", "a"};
  struct Case {
    std::string_view name;
    std::string_view method;
    int status;
    std::span<const http::Field> fields;
  };
  const Case cases[] = {{"HEAD", "HEAD", 200, {}},
                        {"304", "GET", 304, {}},
                        {"a bad status", "GET", 99, {}},
                        {"a bad field", "GET", 200, {&bad, 1}}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    Lent lent{.bytes = std::string(1 << 20, 'x')};
    answered(std::string(one.method) + " / HTTP/1.1\r\nHost: here\r\n\r\n", [&](Exchange& exchange) {
      http::Response response = lent.response();
      response.status = one.status;
      response.fields = one.fields;
      if (!exchange.respond(response).empty()) exchange.fail();
      return Taken::answered;
    });
    EXPECT_EQ(lent.released, 1);
  }
}

// ---- The server's own answers

TEST_F(ExchangeTest, ARefusalIsTheLastAnswerOfItsConnection) {
  const std::string all = answered(get("/") + get("/ignored"), [](Exchange& exchange) {
    exchange.refuse(503, "too busy", Outcome::overload);
    return Taken::answered;
  });
  EXPECT_THAT(all, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(all, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(all, EndsWith("\r\n\r\n503 Service Unavailable: too busy\n"));
  EXPECT_THAT(handler.targets, ElementsAre("/"));
  EXPECT_THAT(observer.over, ElementsAre(Over{"/", 503, Outcome::overload, "too busy", 34}));
}

TEST_F(ExchangeTest, ARefusalReplacesWhatHasBeenSaid) {
  const std::string all = answered(get("/"), [](Exchange& exchange) {
    answer(exchange, "never sent");
    exchange.refuse(500, "", Outcome::app_failed);
    return Taken::answered;
  });
  EXPECT_THAT(all, EndsWith("\r\n\r\n500 Internal Server Error\n"));
  EXPECT_THAT(all, Not(HasSubstr("never sent")));
}

TEST_F(ExchangeTest, ARequestThatWaitsMayBeRefused) {
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  handler.last().refuse_pending(503, "no thread", Outcome::overload);
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(observer.over, ElementsAre(Over{"/", 503, Outcome::overload, "no thread", 35}));
  EXPECT_THAT(handler.abandoned, IsEmpty());
}

TEST_F(ExchangeTest, AHandlerThatIsGivenUpKeepsItsExchangeUntilItIsDone) {
  handler.keep();
  Client& client = connect();
  client.send(post("/slow", "its body"));
  run_until_pending();
  Exchange& exchange = handler.last();
  exchange.give_up(504, "too slow", Outcome::timeout);
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 504 Gateway Timeout\r\n"));
  EXPECT_THAT(observer.over, ElementsAre(Over{"/slow", 504, Outcome::timeout, "too slow", 30}));
  EXPECT_THAT(handler.abandoned, ElementsAre(&exchange));

  client.leaves();
  run_until([&] { return observer.connections_over == 1; });
  EXPECT_EQ(exchange.connection(), nullptr);
  EXPECT_EQ(exchange.request().target, "/slow");
  EXPECT_EQ(exchange.body().view(), "its body");
  EXPECT_EQ(exchange.origin().peer, "192.0.2.7");
  EXPECT_EQ(exchange.peer(), "192.0.2.7");

  answer(exchange, "too late");
  EXPECT_THAT(handler.abandoned_done, IsEmpty());
  exchange.done();
  EXPECT_THAT(handler.abandoned_done, ElementsAre(&exchange));
  EXPECT_EQ(handler.done, 1);
  EXPECT_EQ(observer.over.size(), 1u);
}

TEST_F(ExchangeTest, AConnectionThatIsClosedAbandonsItsPendingExchange) {
  handler.keep();
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  connection().close();
  Exchange& exchange = handler.last();
  EXPECT_THAT(handler.abandoned, ElementsAre(&exchange));
  answer(exchange, "too late");
  exchange.done();
  EXPECT_THAT(handler.abandoned_done, ElementsAre(&exchange));
}

TEST_F(ExchangeTest, ARequestThatWasHeldBackIsTakenAgainWithAFreshClock) {
  handler.keep();
  Client& client = connect();
  client.send(get("/held") + get("/next"));
  run_until_pending();
  Exchange& held = handler.last();
  const TimePoint came = held.complete();
  handler.on_take = [](Exchange& exchange) { return answer(exchange, "ok"); };
  held.take_again();
  run_until_over(2);
  EXPECT_THAT(handler.targets, ElementsAre("/held", "/held", "/next"));
  EXPECT_THAT(observer.over,
              ElementsAre(Over{"/held", 200, Outcome::ok, "", 2}, Over{"/next", 200, Outcome::ok, "", 2}));
  EXPECT_GT(connection().history().last_activity, came);
}

TEST_F(ExchangeTest, AHeldBackRequestMayBecomePendingOnceMore) {
  handler.keep();
  Client& client = connect();
  client.send(get("/held"));
  run_until_pending();
  handler.last().take_again();
  ASSERT_EQ(handler.pending.size(), 1u);
  Exchange& exchange = handler.last();
  answer(exchange, "late");
  exchange.done();
  until(client, "late");
  EXPECT_EQ(observer.over.size(), 1u);
}

// ---- A deadline of the handler's

TEST_F(ExchangeTest, ThePendingHandlerIsToldOfItsDeadline) {
  handler.on_take = [&](Exchange& exchange) {
    handler.pending.push_back(&exchange);
    exchange.wait_until(Clock::now() + 20ms);
    return Taken::pending;
  };
  Client& client = connect();
  client.send(get("/"));
  run_until([&] { return !handler.overdue.empty(); });
  EXPECT_THAT(handler.overdue, ElementsAre(handler.pending.front()));
}

TEST_F(ExchangeTest, ADeadlineEndsWithItsRequest) {
  TimePoint due;
  handler.on_take = [&](Exchange& exchange) {
    due = Clock::now() + 20ms;
    exchange.wait_until(due);
    return answer(exchange, "ok");
  };
  Client& client = connect();
  client.send(get("/"));
  until(client, "ok");
  run_until([&] { return Clock::now() > due + 2 * net::DeadlineWheel::kTick; });
  EXPECT_THAT(handler.overdue, IsEmpty());
}

TEST_F(ExchangeTest, AnAbandonedHandlerIsNotToldOfItsDeadline) {
  TimePoint due;
  handler.on_take = [&](Exchange& exchange) {
    handler.pending.push_back(&exchange);
    due = Clock::now() + 20ms;
    exchange.wait_until(due);
    return Taken::pending;
  };
  Client& client = connect();
  client.send(get("/"));
  run_until_pending();
  handler.pending.front()->give_up(504, "", Outcome::timeout);
  run_until([&] { return Clock::now() > due + 2 * net::DeadlineWheel::kTick; });
  EXPECT_THAT(handler.overdue, IsEmpty());
}

// ---- Reuse

TEST_F(ExchangeTest, AnAttachmentStaysWithTheExchangeFromOneRequestToTheNext) {
  int made = 0;
  answered(get("/1") + get("/2") + get("/3"), [&](Exchange& exchange) {
    if (!exchange.attachment) {
      ++made;
      exchange.attachment = std::make_unique<Exchange::Attachment>();
    }
    return answer(exchange, "ok");
  });
  EXPECT_EQ(made, 1);
}

TEST_F(ExchangeTest, NothingOfARequestIsLeftForTheNext) {
  handler.on_take = [&](Exchange& exchange) {
    exchange.refuse(400, "wrong", Outcome::refused);
    return Taken::answered;
  };
  Client& first = connect();
  first.send(post("/", "first body"));
  until_ended(first);
  first.leaves();
  run_until([&] { return observer.connections_over == 1; });
  answered(get("/"), [](Exchange& exchange) {
    EXPECT_EQ(exchange.body().size(), 0u);
    EXPECT_EQ(exchange.body().view(), "");
    EXPECT_EQ(exchange.status(), 0);
    EXPECT_EQ(exchange.reason(), "");
    EXPECT_EQ(exchange.outcome(), Outcome::ok);
    return answer(exchange, "ok");
  });
  EXPECT_EQ(observer.over.back(), (Over{"/", 200, Outcome::ok, "", 2}));
}

}  // namespace
}  // namespace serval::server::test
