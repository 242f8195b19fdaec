#include "worker/proxy_hint.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace serval::worker {
namespace {

TEST(ProxyHint, PrivateAddresses) {
  for (const char* address : {"10.0.0.1", "172.17.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.9", "169.254.1.1",
                              "127.0.0.2", "::1", "fd12::1", "fe80::1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(is_private(address)) << address;
  }
  for (const char* address : {"", "unix", "8.8.8.8", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2001:db8::1"})
    EXPECT_FALSE(is_private(address)) << address;
}

TEST(ProxyHint, FieldsOfProxies) {
  const auto says = [](std::string_view name) {
    const std::vector<http::Field> fields = {{"Host", "x"}, {name, "1"}};
    return says_forwarded(fields);
  };
  for (const char* name : {"X-Forwarded-For", "x-forwarded-proto", "Forwarded"}) EXPECT_TRUE(says(name)) << name;
  for (const char* name : {"X-Forwarded", "X-Forwarded-Fo", "Accept"}) EXPECT_FALSE(says(name)) << name;
  EXPECT_FALSE(says_forwarded({}));
}

}  // namespace
}  // namespace serval::worker
