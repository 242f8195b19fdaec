#include "base/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

namespace serval {
namespace {

using testing::HasSubstr;

struct Case {
  const char* network;
  const char* peer;
  bool inside;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.network << " " << one.peer; }

class Contains : public testing::TestWithParam<Case> {};

TEST_P(Contains, peer) {
  const auto network = Network::parse(GetParam().network);
  ASSERT_TRUE(network) << network.error();
  EXPECT_EQ(network->contains(GetParam().peer), GetParam().inside) << GetParam().network << " " << GetParam().peer;
}

INSTANTIATE_TEST_SUITE_P(
    All, Contains,
    testing::Values(Case{"10.0.0.0/8", "10.255.1.2", true}, Case{"10.0.0.0/8", "11.0.0.0", false},
                    Case{"192.0.2.7", "192.0.2.7", true}, Case{"192.0.2.7", "192.0.2.8", false},
                    Case{"192.0.2.0/25", "192.0.2.127", true}, Case{"192.0.2.0/25", "192.0.2.128", false},
                    Case{"0.0.0.0/0", "203.0.113.9", true}, Case{"0.0.0.0/0", "2001:db8::1", false},
                    Case{"0.0.0.0/0", "unix", false}, Case{"10.0.0.0/8", "::ffff:10.1.1.1", true},
                    Case{"::ffff:10.0.0.0/104", "10.1.1.1", true}, Case{"::1", "::1", true}, Case{"::1", "::2", false},
                    Case{"::1", "127.0.0.1", false}, Case{"fd00::/8", "fdff::1", true},
                    Case{"fd00::/8", "fe00::1", false}, Case{"fe80::/10", "fe80::1%eth0", true},
                    Case{"::/0", "2001:db8::1", true}, Case{"::/0", "192.0.2.1", true}, Case{"unix", "unix", true},
                    Case{"unix", "127.0.0.1", false}, Case{"127.0.0.1", "unix", false}, Case{"*", "unix", true},
                    Case{"*", "2001:db8::1", true}, Case{"10.0.0.0/8", "", false}, Case{"10.0.0.0/8", "10.0.0", false},
                    Case{"10.0.0.0/8", "some text that is far too long to be any address at all", false}));

class Refused : public testing::TestWithParam<const char*> {};

TEST_P(Refused, with_its_text) {
  const auto network = Network::parse(GetParam());
  ASSERT_FALSE(network);
  EXPECT_THAT(network.error(), HasSubstr("\"" + std::string(GetParam()) + "\""));
}

INSTANTIATE_TEST_SUITE_P(All, Refused,
                         testing::Values("", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "::/129",
                                         "10.0.0", "localhost", "Unix", "10.0.0.1/8", "fd00::1/8", "fe80::1%eth0",
                                         "10.0.0.0/8/8"));

TEST(Network, says_what_to_do_about_bits_beyond_the_prefix) {
  EXPECT_THAT(Network::parse("10.0.0.1/8").error(), HasSubstr("beyond /8"));
  EXPECT_THAT(Network::parse("10.0.0.0/33").error(), HasSubstr("from 0 to 32"));
}

}  // namespace
}  // namespace serval
