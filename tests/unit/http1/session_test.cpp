#include "http1/session.hpp"

#include "session_script.hpp"

namespace serval::http1 {
namespace {

using namespace test;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPostHead = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

http::Timeouts limits() { return {.header = 10s, .body = 20s, .body_min_rate = 0, .write = 30s, .keep_alive = 75s}; }

// ---- Reading

TEST(Http1Session, OneRequestAfterAnother) {
  Script s(limits());
  s.idle().has_request(false).needs(input(10s));
  s.at(1s).bytes(kGet).request("/a").last(false).idle(false).has_request().needs(nothing());
  s.at(2s).answered().idle().has_request(false).needs(input(77s));
  EXPECT_EQ(s.under_way(), 0);
  s.at(3s).bytes(kGet).request("/a");
  EXPECT_EQ(s.history().requests, 2);
}

TEST(Http1Session, AHeadThatTricklesIsDueFromItsFirstByte) {
  Script s(limits());
  s.at(1s).bytes(kGet).answered();
  s.at(5s).bytes("GET / HT").no_event().needs(input(15s)).has_request();
  s.at(14s).bytes("TP/1.1\r\n").no_event().needs(input(15s));
  s.at(15s).deadline().refused(408, true).needs(nothing());
  s.answered().needs(linger(20s));
}

TEST(Http1Session, TheFirstHeadIsDueFromWhenTheConnectionWasAccepted) {
  Script s(limits());
  s.at(9s).bytes("G").needs(input(10s));
  s.at(10s).deadline().refused(408, true);
}

TEST(Http1Session, AConnectionOfWhichNothingComesIsClosedWithoutAWord) {
  Script fresh(limits());
  fresh.at(10s).deadline().no_event().needs(close());
  Script idle(limits());
  idle.at(1s).bytes(kGet).answered();
  idle.at(76s).deadline().no_event().needs(close());
}

TEST(Http1Session, ABodyIsDueFromItsLastByte) {
  Script s(limits());
  s.at(1s).bytes(kPostHead).no_event().needs(input(21s));
  s.at(20s).bytes("he").no_event().needs(input(40s));
  s.at(30s).bytes("llo").request("/b", "hello").needs(nothing());
}

TEST(Http1Session, ABodyThatStopsIsRefused) {
  Script s(limits());
  s.at(1s).bytes(kPostHead).bytes("he");
  s.at(21s).deadline().refused(408, true);
}

TEST(Http1Session, ABodyMayComeWithItsHeadOrApart) {
  Script whole(limits());
  whole.bytes(std::string(kPostHead) + "hello").request("/b", "hello");
  EXPECT_EQ(whole.bytes_again(), std::string(kPostHead) + "hello");
  Script apart(limits());
  apart.bytes(kPostHead).bytes("hel").bytes("lo").request("/b", "hello");
  EXPECT_EQ(apart.bytes_again(), std::string(kPostHead) + "hello");
}

TEST(Http1Session, WhatFollowsARequestIsServedNext) {
  Script s(limits());
  s.bytes(std::string(kPostHead) + "hello" + std::string(kGet)).request("/b", "hello").next().no_event();
  EXPECT_EQ(s.bytes_again(), std::string(kPostHead) + "hello" + std::string(kGet)) << "it goes along";
  s.answered().idle(false).next().request("/a");
}

TEST(Http1Session, WhatFollowsABodyReadApartIsServedNext) {
  Script s(limits());
  s.bytes(kPostHead).bytes("hello" + std::string(kGet)).request("/b", "hello");
  EXPECT_EQ(s.bytes_again(), std::string(kPostHead) + "hello" + std::string(kGet));
  s.answered().next().request("/a");
}

TEST(Http1Session, TheBytesOfAChunkedBodyReadApartCannotBeHadAgain) {
  constexpr std::string_view head = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  Script apart(limits());
  apart.bytes(head).bytes("2\r\nhi\r\n0\r\n\r\n").request("/c", "hi");
  EXPECT_EQ(apart.bytes_again(), "");
  Script whole(limits());
  whole.bytes(std::string(head) + "2\r\nhi\r\n0\r\n\r\n").request("/c", "hi");
  EXPECT_EQ(whole.bytes_again(), std::string(head) + "2\r\nhi\r\n0\r\n\r\n");
}

TEST(Http1Session, AClientThatAsksIsToldToGoOnUnlessItHasAlready) {
  constexpr std::string_view head = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  Script asks(limits());
  asks.bytes(head).wrote("HTTP/1.1 100 Continue\r\n\r\n").bytes("hi").request("/b", "hi").wrote("");
  Script hurries(limits());
  hurries.bytes(std::string(head) + "hi").wrote("").request("/b", "hi");
}

TEST(Http1Session, AnInterimAnswerThatIsSlowHasNoDeadlineOfItsOwn) {
  Script s(limits());
  s.bytes("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").needs(input(20s));
  s.at(3s).blocked().needs(input(20s)).drained().needs(input(20s));
}

TEST(Http1Session, NonsenseIsRefusedAndNothingIsReadAfterIt) {
  Script s(limits());
  s.at(1s).bytes("nonsense\r\n").refused(400).needs(nothing()).next().no_event();
  s.at(2s).answered().needs(linger(7s)).has_request(false);
  s.bytes("more of it").no_event();
  s.at(7s).deadline().no_event().needs(close());
}

TEST(Http1Session, WhatComesBeforeTheProtocolMayBeRefused) {
  Script s(limits());
  s.at(1s).refuse({400, "no PROXY prefix"}).refused(400).answered().needs(linger(6s));
}

TEST(Http1Session, AClientThatLeavesInTheMiddleOfARequestIsGone) {
  Script head(limits());
  head.bytes("GET").end_of_input().gone().needs(close());
  Script body(limits());
  body.bytes(kPostHead).end_of_input().gone().needs(close());
  Script fresh(limits());
  fresh.end_of_input().no_event().needs(close());
  Script idle(limits());
  idle.bytes(kGet).answered().end_of_input().no_event().needs(close());
  Script empty_lines(limits());
  empty_lines.bytes("\r\n").end_of_input().no_event();
}

// ---- Answering

TEST(Http1Session, EachReasonToCloseMakesTheAnswerTheLastOne) {
  struct Row {
    const char* what;
    std::string_view request;
    http::Timeouts timeouts;
    bool last;
  };
  http::Timeouts no_keep_alive = limits(), two = limits();
  no_keep_alive.keep_alive = 0s;
  two.keep_alive_requests = 1;
  const Row rows[] = {
      {"HTTP/1.1", kGet, limits(), false},
      {"the client's wish", "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", limits(), true},
      {"HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n", limits(), true},
      {"HTTP/1.0 that keeps alive", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", limits(), false},
      {"keep-alive is off", kGet, no_keep_alive, true},
      {"enough requests", kGet, two, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Script s(row.timeouts);
    s.at(1s).bytes(row.request).request("/a").last(row.last).answered();
    row.last ? s.needs(linger(6s)) : s.needs(input(76s));
  }
}

TEST(Http1Session, AClientThatDoesNotTakeItsAnswerIsGivenUp) {
  Script s(limits());
  s.bytes(kGet).answer().needs(nothing());
  s.at(1s).blocked().needs(output(31s));
  s.at(20s).blocked().needs(output(50s));  // it has taken something
  s.at(50s).deadline().gone(true).needs(close());
}

TEST(Http1Session, AnswersAreNotLimitedIfTheyAreNotToBe) {
  http::Timeouts none = limits();
  none.write = 0s;
  Script s(none);
  s.bytes(kGet).answer().blocked().needs(nothing());
}

TEST(Http1Session, ARequestThatIsGivenUpIsForgottenAndItsAnswerTheLastOne) {
  Script s(limits());
  s.bytes(std::string(kGet) + "GET /next HTTP/1.1\r\n").request("/a");
  s.at(3s).given_up().drained().needs(linger(8s)).has_request(false);
  s.bytes("whatever comes").no_event();
}

TEST(Http1Session, ARequestThatWasHeldBackCountsFromThen) {
  Script s(limits());
  s.at(1s).bytes(kGet);
  s.at(40s).resumed();
  EXPECT_EQ(s.history().last_activity, kBegin + 40s);
}

TEST(Http1Session, NothingIsDueWhileAHandlerHasTheRequest) {
  Script s(limits());
  s.bytes(kGet).at(1000s).deadline().no_event().needs(nothing()).has_request();
}

TEST(Http1Session, AConnectionThatIsClosedOrMovedIsOver) {
  Script s(limits());
  s.closed().needs(close());
}

// ---- Connections with a history

TEST(Http1Session, OneThatWasServedElsewhereGoesOnWhereItWas) {
  const http::History before{.accepted = kBegin, .last_activity = kBegin + 50s, .requests = 3, .untouched = false};
  Script s(limits(), before, {}, 60s);
  s.idle().needs(input(125s)).at(70s).bytes(kGet).request("/a");
  EXPECT_EQ(s.history().requests, 4);
  EXPECT_EQ(s.history().accepted, kBegin);
}

TEST(Http1Session, OneThatWouldNotBeKeptAliveHereHasItsHeadersTime) {
  http::Timeouts none = limits();
  none.keep_alive = 0s;
  Script(none, {.accepted = kBegin, .last_activity = kBegin + 50s, .requests = 3}, {}, 51s).needs(input(60s));
}

TEST(Http1Session, WhatHasBeenReadElsewhereIsServed) {
  Script s(limits(), {.accepted = kBegin, .last_activity = kBegin, .requests = 1, .untouched = false}, kGet, 1s);
  s.idle(false).next().request("/a");
}

TEST(Http1Session, AnUntouchedOneIsTouchedByItsFirstByte) {
  Script s(limits());
  EXPECT_TRUE(s.history().untouched);
  s.bytes("G");
  EXPECT_FALSE(s.history().untouched);
}

// ---- Farewell

TEST(Http1Session, AtAGoodbyeIdleConnectionsGoUnlessTheyWereJustActive) {
  Script quiet(limits());
  quiet.at(5s).farewell(true).needs(close());
  Script active(limits());
  active.at(5s).bytes(kGet).answered();
  active.at(5500ms).farewell(true).needs(input(5800ms));
  active.at(5700ms).bytes(kGet).request("/a");
}

TEST(Http1Session, AtAGoodbyeAHeadThatHasBegunHasTwoSeconds) {
  Script s(limits());
  s.at(1s).bytes("GET").farewell(true).needs(input(3s));
  Script soon(limits());
  soon.at(9s).bytes("GET").farewell(true).needs(input(10s));
  Script later(limits());
  later.farewell(true).at(100ms).bytes("GET").needs(input(2100ms));
}

TEST(Http1Session, AtAGoodbyeAnswersAreWaitedFor) {
  Script s(limits());
  s.at(1s).bytes(kGet).farewell(true).needs(nothing());
  s.at(9s).answered().needs(input(9300ms));  // the owner says whether it closes; if not: a last call
}

TEST(Http1Session, IfOthersTakeOverNothingChanges) {
  Script s(limits());
  s.at(5s).farewell(false).idle().needs(input(10s));
}

TEST(Http1Session, WhoeverComesAfterTheGoodbyeHasALastCall) {
  Script(limits(), {.accepted = kBegin, .last_activity = kBegin}, {}, 0s, true).needs(input(300ms));
}

TEST(Http1Session, LingersForLessWhileTheWorkerDrains) {
  Script s(limits());
  s.bytes("GET /a HTTP/1.0\r\n\r\n").farewell(false).at(2s).answered().needs(linger(3s));
}

// ---- Memory

TEST(Http1Session, AnIdleConnectionKeepsTwoKiB) {
  Script s(limits());
  s.bytes("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
      .bytes(std::string(100'000, 'x'))
      .request("/b", std::string(100'000, 'x'));
  s.answered();
  EXPECT_LE(s.idle_memory(), 2048u);
}

TEST(Http1Session, SpellsAnswersAsTheRequestsVersionWantsThem) {
  Script s(limits());
  s.bytes("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").request("/a");
  EXPECT_EQ(s.spelt({.status = 200, .fields = {}, .body_size = 0, .closes = false}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
}

TEST(Http1Session, ShowsWhatCameOfARefusedRequest) {
  Script s(limits());
  s.bytes("GET / HTTP/9.9\r\n").refused(505);
  EXPECT_EQ(s.event().stream->received(), "GET / HTTP/9.9\r\n");
}

}  // namespace
}  // namespace serval::http1
