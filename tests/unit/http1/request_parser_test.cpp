#include "http1/request_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feeding.hpp"

namespace serval::http1::test {
namespace {

using Step = RequestParser::Step;
using testing::ElementsAre;
using testing::Pair;

std::string get(std::string_view fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n"; }

Message only(const Reading& reading) {
  EXPECT_EQ(reading.status, 0) << reading.reason;
  EXPECT_EQ(reading.messages.size(), 1u);
  return reading.messages.empty() ? Message{} : reading.messages.front();
}

TEST(RequestParser, TellsTheHead) {
  const Message m = only(
      read_whole("POST /a%20b?c=d?e HTTP/1.1\r\nHOST: h:1\r\nX-A:  one two \t\r\nx-a:\r\nContent-Length: 2\r\n\r\nhi"));
  EXPECT_EQ(m.method, "POST");
  EXPECT_EQ(m.target, "/a%20b?c=d?e");
  EXPECT_EQ(m.path, "/a%20b");
  EXPECT_EQ(m.query, "c=d?e");
  EXPECT_EQ(m.host, "h:1");
  EXPECT_EQ(m.minor_version, 1);
  EXPECT_THAT(m.fields,
              ElementsAre(Pair("HOST", "h:1"), Pair("X-A", "one two"), Pair("x-a", ""), Pair("Content-Length", "2")));
  EXPECT_EQ(m.body, "hi");
  EXPECT_TRUE(m.keep_alive);
  EXPECT_FALSE(m.expect_continue);
}

TEST(RequestParser, TheTargetsAuthorityReplacesHost) {
  const Message m = only(read_whole("GET http://target.example:8080/p HTTP/1.1\r\nHost: other.example\r\n\r\n"));
  EXPECT_EQ(m.host, "target.example:8080");
  EXPECT_EQ(m.path, "/p");
}

TEST(RequestParser, TellsWhatTheClientWantsOfTheConnection) {
  const auto keeps = [](std::string_view version, std::string_view connection) {
    return only(read_whole("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(connection) + "\r\n"))
        .keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: x , Close\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_TRUE(keeps("1.1", "Connection: closed\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps("1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestParser, TellsWhoWaitsForContinue) {
  const auto waits = [](std::string_view version, std::string_view fields) {
    const std::string line = "POST / HTTP/" + std::string(version) + "\r\n";
    return only(read_whole(line + "Host: a\r\nExpect: 100-Continue\r\n" + std::string(fields) + "\r\n"))
        .expect_continue;
  };
  EXPECT_TRUE(waits("1.1", "Content-Length: 1\r\n"));
  EXPECT_TRUE(waits("1.1", "Transfer-Encoding: chunked\r\n"));
  EXPECT_FALSE(waits("1.1", "Content-Length: 0\r\n"));
  EXPECT_FALSE(waits("1.1", ""));
  EXPECT_FALSE(waits("1.0", "Content-Length: 1\r\n"));
}

TEST(RequestParser, TheBodyIsShownInPlace) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\nGET";
  RequestParser parser{http::Limits{}};
  std::string_view unread = bytes;
  const auto next = [&] {
    const RequestParser::Result result = parser.next(unread);
    unread.remove_prefix(result.consumed);
    return result;
  };
  EXPECT_EQ(next().step, Step::head);
  const RequestParser::Result first = next();
  EXPECT_EQ(first.body, "abc");
  EXPECT_EQ(first.body.data(), bytes.data() + bytes.find("abc"));
  EXPECT_EQ(next().body, "de");
  EXPECT_EQ(next().step, Step::end);
  EXPECT_EQ(unread, "GET");
}

TEST(RequestParser, HasStartedWithTheFirstByteThatIsNoEmptyLine) {
  RequestParser parser{http::Limits{}};
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(parser.next("").consumed, 0u);
  EXPECT_EQ(parser.next("\r\n\r").consumed, 2u);
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(parser.next("\r\nG").consumed, 2u);
  EXPECT_TRUE(parser.started());
  parser.reset();
  EXPECT_FALSE(parser.started());
}

TEST(RequestParser, ShowsNothingOfAnIncompleteHead) {
  RequestParser parser{http::Limits{}};
  EXPECT_EQ(parser.next("GET /x HTTP/1.1\r\nHost: a\r\nB: c").step, Step::need_more);
  EXPECT_EQ(parser.request().method, "");
  EXPECT_EQ(parser.request().target, "");
  EXPECT_TRUE(parser.request().fields.empty());
}

TEST(RequestParser, ALaterMinorVersionIsTheHighestKnownOneAndRemembered) {
  RequestParser parser{http::Limits{}};
  EXPECT_EQ(parser.next("GET /x HTTP/1.2\r\nHost: a\r\n\r\n").step, Step::head);
  EXPECT_EQ(parser.request().version.minor, 1);
  EXPECT_EQ(parser.request().version.received_minor, 2);
}

TEST(RequestParser, ShowsTheLineOfARefusedHeadIfItWasUnderstood) {
  RequestParser parser{http::Limits{}};
  EXPECT_EQ(parser.next("HEAD /x HTTP/1.0\r\nHost : a\r\n").step, Step::refused);
  EXPECT_EQ(parser.request().method, "HEAD");
  EXPECT_EQ(parser.request().target, "/x");
  EXPECT_EQ(parser.request().version.minor, 0);
  EXPECT_EQ(parser.refusal().reason, "space before the colon of a header field");
  parser.reset();
  EXPECT_EQ(parser.next("GET /\x01").step, Step::refused);
  EXPECT_EQ(parser.request().method, "");
}

/// The shortest part of `bytes` that is refused must end with `bytes`.
void expect_refused_exactly_at_the_end_of(std::string_view bytes, int status, const http::Limits& limits = {}) {
  SCOPED_TRACE(testing::PrintToString(std::string(bytes.substr(0, 80))));
  const Reading all = read_whole(bytes, limits);
  EXPECT_EQ(all.status, status) << all.reason;
  EXPECT_EQ(read_whole(bytes.substr(0, bytes.size() - 1), limits).status, 0);
}

TEST(RequestParser, RefusesAsSoonAsItSees) {
  expect_refused_exactly_at_the_end_of("(", 400);
  expect_refused_exactly_at_the_end_of("GET /\x01", 400);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\n", 400);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\rX", 400);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\r\nA ", 400);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\r\nA: b\x07", 400);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\r\nA: b\n", 400);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\r\nA: b\r\n ", 400);
  expect_refused_exactly_at_the_end_of("GET / HTTP/2.0\r\n", 505);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\r\nContent-Length: x\r\n", 400);
  expect_refused_exactly_at_the_end_of(std::string(33, 'M'), 501);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect_refused_exactly_at_the_end_of(chunked + "5_", 400);
  expect_refused_exactly_at_the_end_of(chunked + "1;a\n", 400);
  expect_refused_exactly_at_the_end_of(chunked + "1\r\nab", 400);
  expect_refused_exactly_at_the_end_of(chunked + "0\r\nHost:", 400);
}

TEST(RequestParser, LimitsHoldToTheByte) {
  const http::Limits limits{.max_header = 200, .max_headers = 3, .max_target = 20, .max_body = 10};
  const auto status = [&](std::string_view bytes) { return read_whole(bytes, limits).status; };

  EXPECT_EQ(status("GET /" + std::string(19, 't') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  expect_refused_exactly_at_the_end_of("GET /" + std::string(20, 't'), 414, limits);

  EXPECT_EQ(status(get("A: 1\r\nB: 2\r\n")), 0);
  expect_refused_exactly_at_the_end_of("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC", 431, limits);

  const std::size_t rest = get("A: \r\n").size();
  EXPECT_EQ(status(get("A: " + std::string(200 - rest, 'x') + "\r\n")), 0);
  EXPECT_EQ(status(get("A: " + std::string(201 - rest, 'x') + "\r\n")), 431);
  EXPECT_EQ(status("\r\n\r\n" + get("A: " + std::string(200 - rest, 'x') + "\r\n")), 0) << "empty lines do not count";
  expect_refused_exactly_at_the_end_of(get("A: " + std::string(201 - rest, 'x') + "\r\n").substr(0, 200), 431, limits);

  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"), 0);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"), 413);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status(chunked + "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(status(chunked + "4\r\n0123\r\n7\r\n"), 413);
  EXPECT_EQ(status(chunked + "ffffffffffffffff\r\n"), 413);
}

TEST(RequestParser, NoBodyLimitMeansNone) {
  const http::Limits limits{.max_body = 0};
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(read_whole(head + "Content-Length: 9999999999999999999\r\n\r\nx", limits).status, 0);
  EXPECT_EQ(read_whole(head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", limits).status, 0);
}

TEST(RequestParser, AtMostFourEmptyLinesAreSkipped) {
  const auto status = [](int lines) {
    std::string bytes;
    for (int i = 0; i < lines; ++i) bytes += "\r\n";
    return read_whole(bytes + get("")).status;
  };
  EXPECT_EQ(status(1), 0);
  EXPECT_EQ(status(4), 0);
  EXPECT_EQ(status(5), 400);
}

TEST(RequestParser, UnderscoresMayNotImitateTrustedNames) {
  for (const char* name : {"Content_Length", "content-length_", "Transfer_Encoding", "X_Forwarded_For",
                           "x-forwarded_proto", "X_FORWARDED-HOST"}) {
    const bool imitates = std::string_view(name) != "content-length_";
    EXPECT_EQ(read_whole(get(std::string(name) + ": 1\r\n")).status, imitates ? 400 : 0) << name;
  }
}

TEST(RequestParser, IsReusedWithoutTraceOfTheRequestBefore) {
  RequestParser parser{http::Limits{}};
  const std::string first =
      "HEAD http://x/ HTTP/1.0\r\nHost: y\r\nExpect: 100-continue\r\nContent-Length: 1\r\nA: b\r\n\r\n";
  const std::string second = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(parser.next(first).step, Step::head);
  parser.reset();
  ASSERT_EQ(parser.next(second).step, Step::head);
  EXPECT_EQ(parser.request().host, "a");
  EXPECT_EQ(parser.request().fields.size(), 1u);
  EXPECT_EQ(parser.wire().body, BodyKind::none);
  EXPECT_TRUE(parser.wire().keep_alive);
  EXPECT_EQ(parser.next("").step, Step::end);
}

}  // namespace
}  // namespace serval::http1::test
