#include "http/target.hpp"

#include <gtest/gtest.h>

namespace serval::http {
namespace {

TEST(Target, AnAuthorityIsAHostWithOrWithoutPort) {
  for (const char* good : {"a", "a.example", "A-b_c.example:80", "127.0.0.1", "127.0.0.1:65535", "[::1]",
                           "[2001:db8::ff]:8000", "a%41b", "a:"}) {
    EXPECT_TRUE(is_authority(good)) << good;
  }
  for (const char* bad :
       {"",         ":",       ":80",  "a b",  "a@b", "a/b",   "a?b",    "a:b",       "a:65536",
        "a:000080", "a:80:80", "[]",   "[::1", "::1", "[::g]", "[::1]x", "[1.2.3.4]", "[fe80::1%25eth0]",
        "a%4",      "a%zz",    "a\"b", "a\\b", "a<b"}) {
    EXPECT_FALSE(is_authority(bad)) << bad;
  }
}

TEST(Target, ConnectNeedsAPort) {
  EXPECT_TRUE(is_authority("a:80", Port::required));
  EXPECT_TRUE(is_authority("[::1]:80", Port::required));
  for (const char* bad : {"a", "a:", "[::1]", "[::1]:"}) EXPECT_FALSE(is_authority(bad, Port::required)) << bad;
}

struct Row {
  const char* method;
  const char* target;
  int status;  ///< 0: good, then path, query and host are these
  const char* path;
  const char* query;
  const char* host;
};

TEST(Target, EveryFormIsSplitOrRefused) {
  const Row rows[] = {
      {"GET", "/", 0, "/", "", ""},
      {"GET", "/a?b", 0, "/a", "b", ""},
      {"GET", "//b/c?", 0, "//b/c", "", ""},
      {"OPTIONS", "*", 0, "*", "", ""},
      {"GET", "*", 400, "", "", ""},
      {"GET", "http://h/a?b", 0, "/a", "b", "h"},
      {"GET", "HTTPS://h:1?b/c", 0, "/", "b/c", "h:1"},
      {"OPTIONS", "http://h", 0, "/", "", "h"},
      {"GET", "http://", 400, "", "", ""},
      {"GET", "http://a b/", 400, "", "", ""},
      {"GET", "mailto:x", 400, "", "", ""},
      {"GET", "h:80", 400, "", "", ""},
      {"CONNECT", "h:80", 501, "", "", ""},
      {"CONNECT", "/", 400, "", "", ""},
      {"GET", "a", 400, "", "", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.method) + " " + row.target);
    Request request;
    request.method = row.method;
    request.target = row.target;
    const auto refusal = split_target(request);
    EXPECT_EQ(refusal ? refusal->status : 0, row.status);
    if (refusal) continue;
    EXPECT_EQ(request.path, row.path);
    EXPECT_EQ(request.query, row.query);
    EXPECT_EQ(request.host, row.host);
  }
}

}  // namespace
}  // namespace serval::http
