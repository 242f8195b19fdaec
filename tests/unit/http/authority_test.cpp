#include "http/authority.hpp"

#include <gtest/gtest.h>

namespace serval::http {
namespace {

struct Case {
  std::string_view authority;
  std::string_view host;
  std::optional<std::uint16_t> port;
};

TEST(Authority, is_a_host_and_a_port) {
  const Case cases[] = {
      {"example.com", "example.com", std::nullopt},
      {"example.com:8080", "example.com", 8080},
      {"example.com:", "example.com", std::nullopt},
      {"example.com:65536", "example.com", std::nullopt},
      {"example.com:80x", "example.com", std::nullopt},
      {"192.0.2.1:1", "192.0.2.1", 1},
      {"[::1]", "::1", std::nullopt},
      {"[::1]:443", "::1", 443},
      {"[::1]443", "::1", std::nullopt},
      {"[::1", "[::1", std::nullopt},
      {"::1", "::1", std::nullopt},
      {"", "", std::nullopt},
      {":80", "", 80},
  };
  for (const Case& one : cases) {
    const HostAndPort split = split_authority(one.authority);
    EXPECT_EQ(split.host, one.host) << one.authority;
    EXPECT_EQ(split.port, one.port) << one.authority;
  }
}

}  // namespace
}  // namespace serval::http
