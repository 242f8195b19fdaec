#include "http1/chunked_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace serval::http1 {
namespace {

struct Decoded {
  ChunkedBody::Step step = ChunkedBody::Step::need_more;
  std::string body;
  std::string_view rest;
  int status = 0;
};

Decoded decode(std::string_view bytes, const http::Limits& limits = {}) {
  ChunkedBody chunked(limits);
  Decoded decoded;
  while (true) {
    const ChunkedBody::Result result = chunked.read(bytes);
    bytes.remove_prefix(result.consumed);
    decoded.body.append(result.piece);
    decoded.step = result.step;
    decoded.rest = bytes;
    if (result.step == ChunkedBody::Step::refused) decoded.status = chunked.refusal().status;
    if (result.step != ChunkedBody::Step::piece) return decoded;
  }
}

TEST(ChunkedBody, TakesTheCodingOff) {
  const Decoded decoded = decode("3\r\nabc\r\n0A;x=\"\\\"\"\r\n0123456789\r\n0\r\nSum: 1\r\n\r\nnext");
  EXPECT_EQ(decoded.step, ChunkedBody::Step::end);
  EXPECT_EQ(decoded.body, "abc0123456789");
  EXPECT_EQ(decoded.rest, "next");
}

TEST(ChunkedBody, AQuoteThatStaysOpenIsRefused) {
  EXPECT_EQ(decode("1;a=\"\\\"\r\nx").status, 400);
  EXPECT_EQ(decode("1;a=\"\\\"\"\r\nx").status, 0);
}

TEST(ChunkedBody, WhiteSpaceAfterTheSizeBelongsToAnExtension) {
  for (const char* good : {"1 ;a", "1\t;a", "1 \t ; a = b", "1;a ;b", "1;"}) {
    EXPECT_EQ(decode(std::string(good) + "\r\nx\r\n0 ;z\r\n\r\n").step, ChunkedBody::Step::end) << good;
  }
  for (const char* bad : {"1 ", "1\t", "1 1", "1 a", "1 =", " 1", "1 \"a\""})
    EXPECT_EQ(decode(std::string(bad) + "\r\nx\r\n").status, 400) << bad;
  EXPECT_EQ(decode("1" + std::string(4096, ' ')).status, 0);
  EXPECT_EQ(decode("1" + std::string(4097, ' ')).status, 400);
}

TEST(ChunkedBody, ExtensionsAreLimitedPerChunkAndPerMessage) {
  const auto chunk = [](std::size_t extension) { return "1;" + std::string(extension, 'x') + "\r\na\r\n"; };
  EXPECT_EQ(decode(chunk(4095)).status, 0);  // the CR counts too
  EXPECT_EQ(decode(chunk(4096)).status, 400);
  const std::string four = chunk(4095) + chunk(4095) + chunk(4095) + chunk(4095);
  EXPECT_EQ(decode(four).status, 0);
  EXPECT_EQ(decode(four + "1;").status, 0);
  EXPECT_EQ(decode(four + "1;x").status, 400);
}

TEST(ChunkedBody, TrailersAreLimitedInNumberAndSize) {
  const http::Limits limits{.max_headers = 2};
  EXPECT_EQ(decode("0\r\nA: b\r\nC: d\r\n\r\n", limits).step, ChunkedBody::Step::end);
  EXPECT_EQ(decode("0\r\nA: b\r\nC: d\r\nE", limits).status, 431);
  EXPECT_EQ(decode("0\r\nA: " + std::string(8192 - 3, 'x')).status, 0);
  EXPECT_EQ(decode("0\r\nA: " + std::string(8192 - 2, 'x')).status, 431);
}

TEST(ChunkedBody, ForbiddenTrailersAreFoundWhateverTheirCase) {
  for (const char* name : {"content-length", "TRANSFER-ENCODING", "Host", "Cookie", "authorization", "Content_Length",
                           "X-Forwarded-For"}) {
    EXPECT_EQ(decode("0\r\n" + std::string(name) + ":").status, 400) << name;
  }
  EXPECT_EQ(decode("0\r\nHosts: a\r\n\r\n").step, ChunkedBody::Step::end);
  for (const char* name :
       {"Content-Type", "content-encoding", "Date", "If-Unmodified-Since", "Expect", "Range", "Set-Cookie", "ETag"}) {
    EXPECT_EQ(decode("0\r\n" + std::string(name) + ": a\r\n\r\n").step, ChunkedBody::Step::end) << name;
  }
  EXPECT_EQ(decode("0\r\nX-A-Name-That-Is-Longer-Than-Any-Forbidden-One: a\r\n\r\n").step, ChunkedBody::Step::end);
}

TEST(ChunkedBody, IsReusedAfterReset) {
  ChunkedBody chunked{http::Limits{.max_body = 4}};
  for (int message = 0; message < 3; ++message) {
    EXPECT_EQ(chunked.read("4\r\nabcd\r\n").piece, "abcd");
    EXPECT_EQ(chunked.read("\r\n0\r\n\r\n").step, ChunkedBody::Step::end);
    chunked.reset();
  }
}

}  // namespace
}  // namespace serval::http1
