#include "master/listen_plan.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

namespace serval::master {
namespace {

config::Server server_with(const char* user, unsigned umask = 0022) {
  config::Server server;
  server.user = user;
  server.umask = umask;
  return server;
}

Address at(const char* text) { return Address::parse(text).value(); }

TEST(ListenPlan, BothWildcardsMayHaveOnePort) {
  EXPECT_TRUE(only_v6(at("[::]:80"), {"[::]:80", "0.0.0.0:80"}));
  EXPECT_TRUE(only_v6(at("[::]:80"), {"127.0.0.1:80", "[::]:80"}));
  EXPECT_TRUE(only_v6(at("[::]:80"), {":80", "[::]:80"}));
  EXPECT_FALSE(only_v6(at("[::]:80"), {"[::]:80"})) << "alone it takes IPv4, too";
  EXPECT_FALSE(only_v6(at("[::]:80"), {"[::]:80", "0.0.0.0:81", "[::1]:80", "unix:/80", "fd:80"}));
  EXPECT_FALSE(only_v6(at("[::]:0"), {"[::]:0", "0.0.0.0:0"})) << "these are two ports";
}

TEST(ListenPlan, WhomTheUmaskLetsReadMayConnect) {
  const std::pair<unsigned, mode_t> table[] = {{0022, 0666}, {0000, 0666}, {0002, 0666}, {0027, 0660},
                                               {0007, 0660}, {0077, 0600}, {0066, 0600}};
  for (const auto& [umask, mode] : table) EXPECT_EQ(default_mode(umask), mode) << std::oct << umask;
}

TEST(ListenPlan, WhatTheAddressSaysIsStronger) {
  const auto access = file_access(at("unix:/x?mode=0640&user=1&group=2"), server_with("", 0077));
  ASSERT_TRUE(access) << access.error();
  EXPECT_EQ(access->mode, 0640u);
  EXPECT_EQ(access->group, 2u);
  EXPECT_THAT(file_access(at("unix:/x?group=no-such-group"), {}).error(), testing::HasSubstr("no-such-group"));
  EXPECT_EQ(file_access(at("127.0.0.1:80"), {})->mode, std::nullopt);
}

TEST(ListenPlan, TheServersUserOwnsTheFile) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root becomes somebody else";
  const auto access = file_access(at("unix:/x"), server_with("daemon"));
  ASSERT_TRUE(access) << access.error();
  EXPECT_EQ(access->user, 1u);
  EXPECT_EQ(access->group, 1u);
}

}  // namespace
}  // namespace serval::master
