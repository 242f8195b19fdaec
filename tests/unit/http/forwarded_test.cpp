#include "http/forwarded.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace serval::http {
namespace {

bool is_inside(std::string_view address) { return address.starts_with("10.") || address == "unix" || address == "::1"; }

struct Row {
  const char* what;
  std::vector<Field> fields;
  std::string_view address;
  std::string_view scheme;
  std::string_view peer = "10.0.0.1";
};

TEST(Forwarded, TheRightmostUntrustedHopIsTheClient) {
  const Row rows[] = {
      {"nothing said", {}, "10.0.0.1", "http"},
      {"one hop", {{"X-Forwarded-For", "1.2.3.4"}}, "1.2.3.4", "http"},
      {"over a unix socket", {{"X-Forwarded-For", "1.2.3.4"}}, "1.2.3.4", "http", "unix"},
      {"untrusted peer",
       {{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "https"}},
       "9.9.9.9",
       "http",
       "9.9.9.9"},
      {"forged on the left", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.2"}}, "1.2.3.4", "http"},
      {"all trusted", {{"X-Forwarded-For", "10.0.0.3,10.0.0.2"}}, "10.0.0.3", "http"},
      {"several fields are one list",
       {{"X-Forwarded-For", "6.6.6.6"}, {"x-forwarded-for", "1.2.3.4, 10.0.0.2"}},
       "1.2.3.4",
       "http"},
      {"port", {{"X-Forwarded-For", "1.2.3.4:5678"}}, "1.2.3.4", "http"},
      {"IPv6", {{"X-Forwarded-For", "2001:db8::1"}}, "2001:db8::1", "http"},
      {"IPv6 in brackets", {{"X-Forwarded-For", "[2001:db8::1]:80"}}, "2001:db8::1", "http"},
      {"garbage ends the walk", {{"X-Forwarded-For", "1.2.3.4, garbage, 10.0.0.2"}}, "10.0.0.2", "http"},
      {"only garbage", {{"X-Forwarded-For", "unknown"}}, "10.0.0.1", "http"},
      {"empty", {{"X-Forwarded-For", ""}}, "10.0.0.1", "http"},
      {"open bracket", {{"X-Forwarded-For", "["}}, "10.0.0.1", "http"},
      {"bad port", {{"X-Forwarded-For", "1.2.3.4:x"}}, "10.0.0.1", "http"},
      {"scheme", {{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "HTTPS"}}, "1.2.3.4", "https"},
      {"scheme alone", {{"X-Forwarded-Proto", "https"}}, "10.0.0.1", "https"},
      {"scheme beside each hop",
       {{"X-Forwarded-For", "1.2.3.4, 10.0.0.2"}, {"X-Forwarded-Proto", "https, http"}},
       "1.2.3.4",
       "https"},
      {"forged scheme on the left",
       {{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "https, http"}},
       "1.2.3.4",
       "http"},
      {"unknown scheme", {{"X-Forwarded-Proto", "gopher"}}, "10.0.0.1", "http"},
      {"Forwarded", {{"Forwarded", "for=1.2.3.4;proto=https;by=10.0.0.1"}}, "1.2.3.4", "https"},
      {"Forwarded, quoted", {{"Forwarded", "For=\"[2001:db8::1]:4711\" ; Proto=\"https\""}}, "2001:db8::1", "https"},
      {"Forwarded, chain",
       {{"Forwarded", "for=6.6.6.6, for=1.2.3.4;proto=https"}, {"Forwarded", "for=10.0.0.2;proto=http"}},
       "1.2.3.4",
       "https"},
      {"Forwarded, obfuscated", {{"Forwarded", "for=_hidden;proto=https"}}, "10.0.0.1", "https"},
      {"Forwarded, garbage", {{"Forwarded", ";;=,\"for=;for"}}, "10.0.0.1", "http"},
      {"X-Forwarded-For goes before Forwarded",
       {{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "1.2.3.4"}},
       "1.2.3.4",
       "http"},
  };
  for (const Row& row : rows) {
    const ClientOrigin origin = find_origin(row.fields, {row.peer, "http"}, is_inside);
    EXPECT_EQ(origin.address, row.address) << row.what;
    EXPECT_EQ(origin.scheme, row.scheme) << row.what;
  }
}

}  // namespace
}  // namespace serval::http
