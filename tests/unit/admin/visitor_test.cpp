#include "admin/visitor.hpp"

#include <gtest/gtest.h>

namespace serval::admin {
namespace {

TEST(Visitor, OnlyThisMachineConnectsToItsLoopback) {
  for (const char* bind : {"127.0.0.1:9464", "127.8.8.8:1", "localhost:0", "[::1]:9464"})
    EXPECT_TRUE(is_for_this_machine(bind)) << bind;
  for (const char* bind : {"0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "unix:/run/admin.sock", "off", ""})
    EXPECT_FALSE(is_for_this_machine(bind)) << bind;
}

TEST(Visitor, AnAddressAndLocalhostAreNoNamesThatSomebodyElseCanMake) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:9464", "10.1.2.3:80", "[::1]:9464", "[fe80::1]", "localhost",
                           "LocalHost:9464", "shop.localhost:9464", ""})
    EXPECT_TRUE(is_named_locally(host)) << host;
  for (const char* host : {"example.com", "example.com:9464", "localhost.example.com", "127.0.0.1.example.com", "*",
                           "unix", "notlocalhost", ".localhost.", "127.0.0.0/8"})
    EXPECT_FALSE(is_named_locally(host)) << host;
}

}  // namespace
}  // namespace serval::admin
