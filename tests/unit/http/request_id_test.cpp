#include "http/request_id.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace serval::http {
namespace {

std::string make() {
  std::string id;
  append_request_id(id);
  return id;
}

TEST(RequestId, IsThirtyTwoHexDigits) {
  reseed_request_ids();
  const std::string id = make();
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_TRUE(is_usable_request_id(id));
}

TEST(RequestId, NoTwoAreAlikeOnAnyThread) {
  reseed_request_ids();
  std::vector<std::vector<std::string>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&ids] {
        for (int i = 0; i < 1000; ++i) ids.push_back(make());
      });
    }
  }
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 4000u);
}

TEST(RequestId, AProcessThatReseedsMakesOthers) {
  reseed_request_ids();
  const std::string before = make();
  reseed_request_ids();
  const std::string after = make();
  EXPECT_NE(before.substr(0, 16), after.substr(0, 16));
}

TEST(RequestId, OnlySaneOnesAreTakenOver) {
  for (const char* good :
       {"a", "0af7651916cd43dd8448eb211c80319c", "Root=1-67891233-abcdef012345678912345678", "a/b+c=:@~._-"}) {
    EXPECT_TRUE(is_usable_request_id(good)) << good;
  }
  EXPECT_TRUE(is_usable_request_id(std::string(128, 'x')));
  EXPECT_FALSE(is_usable_request_id(std::string(129, 'x')));
  for (const char* bad : {"", "a b", "a\"b", "a\nb", "caf\xc3\xa9", "a,b", "<script>", "a\\b"}) {
    EXPECT_FALSE(is_usable_request_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace serval::http
