#include "base/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

namespace serval {
namespace {

using testing::HasSubstr;
using Kind = Address::Kind;

struct Good {
  const char* text;
  Address address;
  const char* written;  ///< what text() says
};

void PrintTo(const Good& good, std::ostream* out) { *out << good.text; }

class GoodAddress : public testing::TestWithParam<Good> {};

TEST_P(GoodAddress, is_read_and_written) {
  const auto address = Address::parse(GetParam().text);
  ASSERT_TRUE(address) << address.error();
  EXPECT_EQ(*address, GetParam().address);
  EXPECT_EQ(address->text(), GetParam().written);
  EXPECT_EQ(*Address::parse(address->text()), *address);
}

INSTANTIATE_TEST_SUITE_P(
    All, GoodAddress,
    testing::Values(Good{"127.0.0.1:8000", {Kind::tcp, "127.0.0.1", 8000, ""}, "127.0.0.1:8000"},
                    Good{"0.0.0.0:0", {Kind::tcp, "0.0.0.0", 0, ""}, "0.0.0.0:0"},
                    Good{"localhost:65535", {Kind::tcp, "localhost", 65535, ""}, "localhost:65535"},
                    Good{":8000", {Kind::tcp, "0.0.0.0", 8000, ""}, "0.0.0.0:8000"},
                    Good{"8000", {Kind::tcp, "0.0.0.0", 8000, ""}, "0.0.0.0:8000"},
                    Good{"*:80", {Kind::tcp, "0.0.0.0", 80, ""}, "0.0.0.0:80"},
                    Good{"[::]:8000", {Kind::tcp, "::", 8000, ""}, "[::]:8000"},
                    Good{"[::1]:8000", {Kind::tcp, "::1", 8000, ""}, "[::1]:8000"},
                    Good{"unix:/run/shop.sock", {Kind::unix_path, "", 0, "/run/shop.sock"}, "unix:/run/shop.sock"},
                    Good{"unix:tmp/a:b", {Kind::unix_path, "", 0, "tmp/a:b"}, "unix:tmp/a:b"},
                    Good{"unix:@shop", {Kind::unix_abstract, "", 0, "shop"}, "unix:@shop"},
                    Good{"fd:web", {Kind::systemd, "", 0, "web"}, "fd:web"}));

struct Bad {
  const char* text;
  const char* said;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.text; }

class BadAddress : public testing::TestWithParam<Bad> {};

TEST_P(BadAddress, is_refused_with_its_text_and_a_reason) {
  const auto address = Address::parse(GetParam().text);
  ASSERT_FALSE(address);
  EXPECT_THAT(address.error(), HasSubstr("\"" + std::string(GetParam().text) + "\""));
  EXPECT_THAT(address.error(), HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadAddress,
    testing::Values(Bad{"", "empty"}, Bad{"127.0.0.1", "port is missing"}, Bad{"127.0.0.1:", "is no port"},
                    Bad{"127.0.0.1:65536", "is no port"}, Bad{"127.0.0.1:-1", "is no port"},
                    Bad{"127.0.0.1:80x", "is no port"}, Bad{"70000", "port is missing"},
                    Bad{"127.0.0.256:80", "is no IP address"}, Bad{"example.org:80", "not looked up"},
                    Bad{"::1:8000", "in brackets"}, Bad{"::1", "is no IP address"}, Bad{"[::1:8000", "closing bracket"},
                    Bad{"[::1]8000", "must follow the bracket"}, Bad{"[::1]", "must follow the bracket"},
                    Bad{"[]:80", "is no IPv6 address"}, Bad{"[127.0.0.1]:80", "is no IPv6 address"},
                    Bad{"[::ffff:127.0.0.1]:80", "write 127.0.0.1:PORT"},
                    Bad{"[::FFFF:7f00:1]:80", "write 127.0.0.1:PORT"}, Bad{"[fe80::1]:80", "link-local"},
                    Bad{"[fe80::1%eth0]:80", "link-local"}, Bad{"[febf::1]:80", "link-local"},
                    Bad{"[2001:db8::1%eth0]:80", "scope (%eth0)"}, Bad{"[ff02::1]:80", "multicast"},
                    Bad{"224.0.0.1:80", "multicast"}, Bad{"unix:", "name of the unix socket is missing"},
                    Bad{"unix:@", "name of the unix socket is missing"}, Bad{"fd:", "write fd:NAME"}));

TEST(Address, a_unix_path_says_who_may_connect) {
  const auto address = Address::parse("unix:/run/x.sock?mode=0660&user=shop&group=www-data");
  ASSERT_TRUE(address) << address.error();
  EXPECT_EQ(address->name, "/run/x.sock");
  EXPECT_EQ(address->mode, 0660u);
  EXPECT_EQ(address->user, "shop");
  EXPECT_EQ(address->group, "www-data");
  EXPECT_EQ(*Address::parse(address->text()), *address);
  EXPECT_TRUE(address->same_place(*Address::parse("unix:/run/x.sock")));
  EXPECT_EQ(Address::parse("unix:@a?b")->name, "a?b") << "an abstract socket has no file";
  EXPECT_FALSE(Address::parse("unix:@a?mode=0660")) << "the file that it names is none";
  for (const char* wrong :
       {"unix:/x?", "unix:/x?mode=", "unix:/x?mode=rw", "unix:/x?mode=4777", "unix:/x?mode=0660&mode=0600",
        "unix:/x?owner=me", "unix:/x?user=", "unix:/x?group", "unix:?mode=0660"}) {
    EXPECT_FALSE(Address::parse(wrong)) << wrong;
  }
}

TEST(Address, a_unix_path_must_fit_into_the_socket_address) {
  EXPECT_TRUE(Address::parse("unix:/" + std::string(106, 'x')));
  const auto longer = Address::parse("unix:/" + std::string(107, 'x'));
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error(), HasSubstr("108 bytes"));
  EXPECT_FALSE(Address::parse(std::string_view("unix:/a\0b", 9)));
}

TEST(Address, knows_what_it_has_in_common_with_others) {
  struct Row {
    const char* one;
    const char* other;
    Overlap overlap;
  };
  const Row table[] = {
      {"0.0.0.0:80", "127.0.0.1:80", Overlap::full},     {"[::]:80", "[::1]:80", Overlap::full},
      {"[::1]:80", "[::1]:80", Overlap::full},           {"localhost:80", "127.0.0.1:80", Overlap::full},
      {"0.0.0.0:80", "[::]:80", Overlap::dual_stack},    {"[::]:80", "127.0.0.1:80", Overlap::dual_stack},
      {"0.0.0.0:80", "[::1]:80", Overlap::none},         {"0.0.0.0:80", "127.0.0.1:81", Overlap::none},
      {"[::]:80", "0.0.0.0:81", Overlap::none},          {"0.0.0.0:0", "127.0.0.1:0", Overlap::none},
      {"[::]:0", "0.0.0.0:0", Overlap::none},            {"127.0.0.1:80", "127.0.0.2:80", Overlap::none},
      {"unix:u.sock", "unix:./u.sock", Overlap::full},   {"unix:/a/../u.sock", "unix:/u.sock", Overlap::full},
      {"unix:/a", "unix:/b", Overlap::none},             {"unix:@a", "unix:@a", Overlap::full},
      {"unix:/a", "unix:@/a", Overlap::none},            {"fd:http", "fd:https", Overlap::none},
      {"[::]:80", "unix:/80", Overlap::none},
  };
  for (const auto& [one, other, overlap] : table) {
    EXPECT_EQ(Address::parse(one)->overlap(*Address::parse(other)), overlap) << one << " and " << other;
    EXPECT_EQ(Address::parse(other)->overlap(*Address::parse(one)), overlap) << other << " and " << one;
  }
}

}  // namespace
}  // namespace serval
