#include "http/stream.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "http1/message.hpp"

// serval's own answers (http/stream.hpp), as HTTP/1 spells them.
namespace serval::http1 {
namespace {

struct Spelt {
  std::string text;
  std::size_t body_size;
};

/// The answer to the request whose head is `head`; "": none has come.
Spelt spell_error(std::string_view head, int status, std::string_view reason) {
  const http::Limits limits;
  Message message(limits);
  if (!head.empty()) {
    EXPECT_EQ(message.parser.next(head).step, RequestParser::Step::head);
  }
  Spelt spelt;
  spelt.body_size = http::spell_error(spelt.text, message, status, reason, "D");
  return spelt;
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

TEST(SpellError, SaysStatusAndReasonAndThatTheConnectionCloses) {
  const Spelt spelt = spell_error(kGet, 504, "the app did not answer in time");
  EXPECT_EQ(spelt.text,
            "HTTP/1.1 504 Gateway Timeout\r\nDate: D\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Connection: close\r\nContent-Length: 52\r\n\r\n"
            "504 Gateway Timeout: the app did not answer in time\n");
  EXPECT_EQ(spelt.body_size, 52u);
}

TEST(SpellError, WithoutAReasonTheStatusIsAll) {
  EXPECT_TRUE(spell_error(kGet, 500, "").text.ends_with("\r\n\r\n500 Internal Server Error\n"));
}

TEST(SpellError, OnlyA503AsksToComeBack) {
  EXPECT_NE(spell_error(kGet, 503, "").text.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  for (const int status : {400, 408, 413, 431, 500, 504}) {
    EXPECT_EQ(spell_error(kGet, status, "").text.find("Retry-After"), std::string::npos) << status;
  }
}

TEST(SpellError, TheAnswerToHeadHasNoBody) {
  const Spelt spelt = spell_error("HEAD / HTTP/1.1\r\nHost: here\r\n\r\n", 500, "");
  EXPECT_TRUE(spelt.text.ends_with("\r\nContent-Length: 26\r\n\r\n"));
  EXPECT_EQ(spelt.body_size, 0u);
}

TEST(SpellError, ARequestThatWasNotUnderstoodIsAnsweredToo) {
  const Spelt spelt = spell_error("", 400, "no request line");
  EXPECT_TRUE(spelt.text.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_TRUE(spelt.text.ends_with("\r\n\r\n400 Bad Request: no request line\n"));
}

TEST(SpellError, IsAppendedToWhatIsThere) {
  const http::Limits limits;
  const Message message(limits);
  std::string out = "before ";
  http::spell_error(out, message, 500, "", "D");
  EXPECT_TRUE(out.starts_with("before HTTP/1.1 500 "));
}

}  // namespace
}  // namespace serval::http1
