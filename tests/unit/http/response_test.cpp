#include "http/response.hpp"

#include <gtest/gtest.h>

namespace serval::http {
namespace {

TEST(Response, WhatWouldBreakTheFramingIsNotSendable) {
  using namespace std::string_view_literals;
  const Field good[] = {
      {"X", ""}, {"X", "a\tb caf\xc3\xa9 \xff"}, {"Content-Length", "5"}, {"content-length", "05"}, {"Upgrade-X", "1"}};
  for (const Field& field : good)
    EXPECT_STREQ(why_not_sendable(field, 5), nullptr) << field.name << ": " << field.value;
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
  for (const auto& [field, why] : bad)
    EXPECT_STREQ(why_not_sendable(field, 5), why) << field.name << ": " << field.value;
}

TEST(Response, WhatIsHopByHopMayBeDropped) {
  const Field dropped[] = {{"Connection", "close"},
                           {"connection", "a\r\nb"},
                           {"Keep-Alive", "timeout=5"},
                           {"Upgrade", "h2c"},
                           {"TE", ""},
                           {"trailer", "X"},
                           {"Proxy-Connection", "keep-alive"},
                           {"Transfer-Encoding", " Chunked "}};
  for (const Field& field : dropped) EXPECT_TRUE(may_be_dropped(field)) << field.name;
  const Field kept[] = {{"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "gzip, chunked"}, {"Content-Length", "5"},
                        {"X", "a\nb"}, {"", ""}, {"Connection ", "x"}};
  for (const Field& field : kept) EXPECT_FALSE(may_be_dropped(field)) << field.name;
}

TEST(Response, HeadAnd304MayHaveTheLengthOfAnotherBody) {
  const Field field{"Content-Length", "1234"};
  EXPECT_STREQ(why_not_sendable(field, {.head_request = true, .status = 200}, 0), nullptr);
  EXPECT_STREQ(why_not_sendable(field, {.status = 304}, 0), nullptr);
  EXPECT_STREQ(why_not_sendable(field, {}, 0), "Content-Length is not the size of the body");
  EXPECT_STREQ(why_not_sendable({"Content-Length", "x"}, {.status = 304}, 0), "Content-Length is not a number");
}

TEST(Response, OnlyFinalStatusesAreTheApps) {
  for (const int good : {200, 204, 304, 404, 599}) EXPECT_STREQ(why_not_sendable(good), nullptr) << good;
  for (const int bad : {-1, 0, 99, 100, 101, 199, 600, 1000}) EXPECT_STRNE(why_not_sendable(bad), nullptr) << bad;
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
