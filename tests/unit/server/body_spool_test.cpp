#include "server/body_spool.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

namespace serval::server {
namespace {

TEST(BodySpool, SmallBodiesStayInMemory) {
  BodySpool body;
  body.append("abc", 10);
  body.append("defg", 10);
  EXPECT_EQ(body.fd(), -1);
  EXPECT_EQ(body.view(), "abcdefg");
}

TEST(BodySpool, BeyondTheLimitEverythingMovesToAnUnlinkedFile) {
  BodySpool body;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string piece(37, static_cast<char>('a' + i % 26));
    body.append(piece, 1000);
    expected += piece;
  }
  ASSERT_GE(body.fd(), 0);
  EXPECT_TRUE(body.intact());
  EXPECT_EQ(body.size(), expected.size());
  EXPECT_EQ(body.view(), expected);
  struct stat status {};
  ASSERT_EQ(::fstat(body.fd(), &status), 0);
  EXPECT_EQ(status.st_nlink, 0u);
  EXPECT_EQ(static_cast<std::size_t>(status.st_size), expected.size());
}

TEST(BodySpool, CanBeUsedAgainAfterReset) {
  BodySpool body;
  body.append(std::string(5000, 'x'), 100);
  EXPECT_EQ(body.view().size(), 5000u);
  body.reset();
  EXPECT_EQ(body.fd(), -1);
  EXPECT_TRUE(body.view().empty());
  body.append("again", 100);
  EXPECT_EQ(body.view(), "again");
}

TEST(BodySpool, WithoutATemporaryFolderTheBodyStaysInMemory) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/does/not/exist", 1);
  BodySpool body;
  body.append(std::string(5000, 'x'), 100);
  EXPECT_EQ(body.fd(), -1);
  EXPECT_TRUE(body.intact());
  EXPECT_EQ(body.view().size(), 5000u);
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
}

}  // namespace
}  // namespace serval::server
