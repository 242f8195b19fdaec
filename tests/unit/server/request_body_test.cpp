#include "server/request_body.hpp"

#include <string>

#include <gtest/gtest.h>

namespace serval::server {
namespace {

TEST(RequestBody, APieceThatStaysIsNotCopied) {
  const std::string memory = "one piece";
  RequestBody body;
  body.add(memory, 2);
  EXPECT_EQ(body.view().data(), memory.data());
  EXPECT_EQ(body.size(), 9u);
  EXPECT_EQ(body.fd(), -1) << "it is in memory anyway, however large";
}

TEST(RequestBody, APieceThatDoesNotStayIsCopied) {
  std::string memory = "one piece";
  RequestBody body;
  body.add(memory, 100);
  body.keep(100);
  memory.assign(memory.size(), '?');
  EXPECT_EQ(body.view(), "one piece");
}

TEST(RequestBody, PiecesBecomeOne) {
  RequestBody body;
  body.add("one ", 100);
  body.add("two ", 100);
  body.keep(100);
  body.add("three", 100);
  EXPECT_EQ(body.view(), "one two three");
  EXPECT_EQ(body.size(), 13u);
}

TEST(RequestBody, BeyondTheLimitItIsAFile) {
  RequestBody body;
  body.add("one ", 6);
  EXPECT_EQ(body.fd(), -1);
  body.add("two", 6);
  EXPECT_GE(body.fd(), 0);
  EXPECT_EQ(body.view(), "one two");
  EXPECT_TRUE(body.intact());
}

TEST(RequestBody, ResetForgetsAll) {
  RequestBody body;
  body.add("one ", 6);
  body.add("two", 6);
  body.reset();
  EXPECT_EQ(body.size(), 0u);
  EXPECT_EQ(body.view(), "");
  EXPECT_EQ(body.fd(), -1);
}

}  // namespace
}  // namespace serval::server
