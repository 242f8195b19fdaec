#include "http/response.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <vector>

namespace serval::http {
namespace {

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string head(const Exchange& exchange, int status, const std::vector<Field>& fields, std::size_t body_size) {
  std::string out;
  append_head(out, exchange, status, fields, body_size, kDate);
  return out;
}

TEST(Response, TheHeadIsWrittenInOrder) {
  EXPECT_EQ(head({}, 200, {{"Content-Type", "text/plain"}, {"X", "1"}, {"X", "2"}}, 5),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nX: 1\r\nX: 2\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(head({.close = true}, 404, {{"Date", "today"}}, 0),
            "HTTP/1.1 404 Not Found\r\nDate: today\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(head({}, 599, {}, 0).substr(0, 16), "HTTP/1.1 599 \r\nD");
}

struct Row {
  const char* what;
  Exchange exchange;
  int status;
  const char* app_length;  ///< null: the app gave none
  std::size_t body_size;
  const char* length_sent;  ///< null: none
  bool body_sent;
};

TEST(Response, FramingFollowsMethodAndStatus) {
  const Exchange get{};
  const Exchange head_request{.head_request = true};
  const Row rows[] = {
      {"a body", get, 200, nullptr, 7, "7", true},
      {"an empty body", get, 200, nullptr, 0, "0", true},
      {"the app says it too", get, 200, "7", 7, "7", true},
      {"an error", get, 500, nullptr, 7, "7", true},
      {"HEAD", head_request, 200, nullptr, 7, "7", false},
      {"HEAD, the app knows better", head_request, 200, "1234", 0, "1234", false},
      {"204", get, 204, nullptr, 0, nullptr, false},
      {"204 with a length", get, 204, "0", 0, nullptr, false},
      {"204 to HEAD", head_request, 204, nullptr, 0, nullptr, false},
      {"205", get, 205, nullptr, 7, "0", false},
      {"304", get, 304, nullptr, 0, nullptr, false},
      {"304 with the length of the 200", get, 304, "1234", 0, "1234", false},
      {"103", get, 103, nullptr, 0, nullptr, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    std::vector<Field> fields;
    if (row.app_length != nullptr) fields.push_back({"content-length", row.app_length});
    const std::string out = head(row.exchange, row.status, fields, row.body_size);
    std::size_t count = 0;
    std::string lower = out;
    for (char& byte : lower) byte = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
    for (std::size_t at = lower.find("content-length"); at != std::string::npos; at = lower.find("content-length", at + 1)) ++count;
    EXPECT_EQ(count, row.length_sent == nullptr ? 0u : 1u) << out;
    if (row.length_sent != nullptr) {
      EXPECT_NE(lower.find("content-length: " + std::string(row.length_sent) + "\r\n"), std::string::npos) << out;
    }
    EXPECT_EQ(carries_body(row.exchange, row.status), row.body_sent);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
  }
}

TEST(Response, ConnectionIsSaidOnlyIfItMustBe) {
  const auto says = [](const Exchange& exchange) {
    const std::string out = head(exchange, 200, {}, 0);
    const std::size_t at = out.find("Connection: ");
    return at == std::string::npos ? std::string() : out.substr(at + 12, out.find('\r', at) - at - 12);
  };
  EXPECT_EQ(says({}), "");
  EXPECT_EQ(says({.close = true}), "close");
  EXPECT_EQ(says({.minor_version = 0, .asked_keep_alive_1_0 = true}), "keep-alive");
  EXPECT_EQ(says({.minor_version = 0, .close = true, .asked_keep_alive_1_0 = true}), "close");
  EXPECT_EQ(says({.minor_version = 0, .close = true}), "close");
}

TEST(Response, WhatWouldBreakTheFramingIsNotSendable) {
  using namespace std::string_view_literals;
  const Field good[] = {{"X", ""}, {"X", "a\tb caf\xc3\xa9 \xff"}, {"Content-Length", "5"}, {"content-length", "05"}, {"Upgrade-X", "1"}};
  for (const Field& field : good) EXPECT_STREQ(why_not_sendable(field, 5), nullptr) << field.name << ": " << field.value;
  const std::pair<Field, const char*> bad[] = {
      {{"X", "a\r\nB: c"}, "CR in the value"},
      {{"X", "a\nb"}, "LF in the value"},
      {{"X", "a\0b"sv}, "NUL in the value"},
      {{"X", "a\x01"}, "a control byte in the value"},
      {{"X", "0123456789abcdef\x7f"}, "a control byte in the value"},
      {{"", "x"}, "the name is empty"},
      {{"Foo\r\nBar", "x"}, "the name is not a token"},
      {{"a b", "x"}, "the name is not a token"},
      {{"a:", "x"}, "the name is not a token"},
      {{"caf\xc3\xa9", "x"}, "the name is not a token"},
      {{"Content-Length", "6"}, "Content-Length is not the size of the body"},
      {{"Content-Length", "5x"}, "Content-Length is not a number"},
      {{"Content-Length", "-5"}, "Content-Length is not a number"},
      {{"Content-Length", ""}, "Content-Length is not a number"},
      {{"Content-Length", "99999999999999999999"}, "Content-Length is not a number"},
      {{"transfer-encoding", "chunked"}, "serval itself sends this field"},
      {{"Connection", "close"}, "serval itself sends this field"},
      {{"KEEP-ALIVE", "timeout=5"}, "serval itself sends this field"},
      {{"Upgrade", "h2c"}, "serval itself sends this field"},
      {{"Proxy-Connection", "close"}, "serval itself sends this field"},
      {{"TE", "trailers"}, "serval itself sends this field"},
      {{"Trailer", "Digest"}, "serval itself sends this field"},
  };
  for (const auto& [field, why] : bad) EXPECT_STREQ(why_not_sendable(field, 5), why) << field.name << ": " << field.value;
}

TEST(Response, WhatIsHopByHopMayBeDropped) {
  const Field dropped[] = {{"Connection", "close"}, {"connection", "a\r\nb"}, {"Keep-Alive", "timeout=5"}, {"Upgrade", "h2c"}, {"TE", ""},
                           {"trailer", "X"}, {"Proxy-Connection", "keep-alive"}, {"Transfer-Encoding", " Chunked "}};
  for (const Field& field : dropped) EXPECT_TRUE(may_be_dropped(field)) << field.name;
  const Field kept[] = {{"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "gzip, chunked"}, {"Content-Length", "5"},
                        {"X", "a\nb"}, {"", ""}, {"Connection ", "x"}};
  for (const Field& field : kept) EXPECT_FALSE(may_be_dropped(field)) << field.name;
}

TEST(Response, HeadAnd304MayHaveTheLengthOfAnotherBody) {
  const Field field{"Content-Length", "1234"};
  EXPECT_STREQ(why_not_sendable(field, {.head_request = true}, 200, 0), nullptr);
  EXPECT_STREQ(why_not_sendable(field, {}, 304, 0), nullptr);
  EXPECT_STREQ(why_not_sendable(field, {}, 200, 0), "Content-Length is not the size of the body");
  EXPECT_STREQ(why_not_sendable({"Content-Length", "x"}, {}, 304, 0), "Content-Length is not a number");
}

TEST(Response, OnlyFinalStatusesAreTheApps) {
  for (const int good : {200, 204, 304, 404, 599}) EXPECT_STREQ(why_not_sendable(good), nullptr) << good;
  for (const int bad : {-1, 0, 99, 100, 101, 199, 600, 1000}) EXPECT_STRNE(why_not_sendable(bad), nullptr) << bad;
}

TEST(Response, ErrorsCloseAndSayWhy) {
  std::string out;
  append_error(out, {}, 400, "no Host", kDate);
  EXPECT_EQ(out, "HTTP/1.1 400 Bad Request\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
                 "Content-Length: 25\r\n\r\n400 Bad Request: no Host\n");
  out.clear();
  append_error(out, {.head_request = true}, 503, "", kDate);
  EXPECT_NE(out.find("\r\nRetry-After: 1\r\n"), std::string::npos) << out;
  EXPECT_TRUE(out.ends_with("Content-Length: 24\r\n\r\n")) << out;
}

TEST(Response, EveryStatusThatServalSendsHasAPhrase) {
  for (const int status : {100, 200, 204, 304, 400, 408, 411, 413, 414, 417, 431, 500, 501, 503, 504, 505}) {
    EXPECT_FALSE(reason_phrase(status).empty()) << status;
  }
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(299), "");
}

}  // namespace
}  // namespace serval::http
