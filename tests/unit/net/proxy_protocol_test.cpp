#include "net/proxy_protocol.hpp"

#include <gtest/gtest.h>

namespace serval::net {
namespace {

using namespace std::string_literals;
using Step = ProxyHeader::Step;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(unsigned version_and_command, unsigned family, const std::string& block) {
  const auto byte = [](std::size_t number) { return std::string(1, static_cast<char>(number)); };
  return kSignature + byte(version_and_command) + byte(family) + byte(block.size() >> 8) + byte(block.size() & 255) +
         block;
}

const std::string kBlock4 = "\xc0\x00\x02\x01\x0a\x00\x00\x01\xdc\x04\x01\xbb"s;
const std::string kBlock6 =
    "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + std::string(16, '\0') + "\xdc\x04\x01\xbb"s;

struct Row {
  const char* what;
  std::string bytes;
  bool local;
  const char* address;
  int port;
};

TEST(ProxyProtocol, BothVersionsTellTheClientHoweverTheyAreCut) {
  const Row rows[] = {
      {"v1, IPv4", "PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n", false, "192.0.2.1", 56324},
      {"v1, IPv6", "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", false, "2001:db8::1", 0},
      {"v1, unknown", "PROXY UNKNOWN\r\n", true, "", 0},
      {"v1, unknown with more", "PROXY UNKNOWN ffff:f... ::1 1 2\r\n", true, "", 0},
      {"v2, IPv4", binary(0x21, 0x11, kBlock4), false, "192.0.2.1", 56324},
      {"v2, IPv4 with extras", binary(0x21, 0x11, kBlock4 + std::string("\x04\x00\x01x", 4)), false, "192.0.2.1",
       56324},
      {"v2, IPv6", binary(0x21, 0x21, kBlock6), false, "2001:db8::1", 56324},
      {"v2, unix", binary(0x21, 0x31, std::string(216, '\0')), false, "unix", 0},
      {"v2, local", binary(0x20, 0x00, ""), true, "", 0},
      {"v2, local with addresses", binary(0x20, 0x11, kBlock4), true, "", 0},
      {"v2, unspecified", binary(0x21, 0x00, "abc"), true, "", 0},
      {"v2, at the limit", binary(0x21, 0x11, kBlock4 + std::string(4096 - 12, '\0')), false, "192.0.2.1", 56324},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const ProxyHeader header = read_proxy_header(row.bytes + "GET / HTTP/1.1\r\n");
    EXPECT_EQ(header.step, Step::done) << header.reason;
    EXPECT_EQ(header.consumed, row.bytes.size());
    EXPECT_EQ(header.local, row.local);
    EXPECT_EQ(header.address, row.address);
    EXPECT_EQ(header.port, row.port);
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      EXPECT_EQ(read_proxy_header(std::string_view(row.bytes).substr(0, size)).step, Step::need_more)
          << "of the first " << size << " bytes";
    }
  }
}

TEST(ProxyProtocol, AnythingElseIsRefused) {
  const std::string rows[] = {
      "GET / HTTP/1.1\r\n",
      "PROXI",
      "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
      "PROXY TCP4 ::1 ::1 1 2\r\n",
      "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.256 1 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
      "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX",
      "PROXY UNKNOWN\x01",
      "PROXY UNKNOWN " + std::string(93, 'x'),
      "\r\n\r\nGET",
      binary(0x11, 0x11, kBlock4),
      binary(0x22, 0x11, kBlock4),
      binary(0x21, 0x12, kBlock4),
      binary(0x21, 0x41, kBlock4),
      binary(0x21, 0x11, kBlock4.substr(0, 11)),
      binary(0x21, 0x21, kBlock4),
      binary(0x21, 0x11, kBlock4 + std::string(4096 - 11, '\0')),
  };
  for (const std::string& bytes : rows) {
    const ProxyHeader header = read_proxy_header(bytes);
    EXPECT_EQ(header.step, Step::refused) << testing::PrintToString(bytes.substr(0, 60));
    EXPECT_FALSE(header.reason.empty());
  }
}

TEST(ProxyProtocol, TheLineEndsAt107Bytes) {
  const auto line = [](std::size_t size) { return "PROXY UNKNOWN " + std::string(size - 16, 'x') + "\r\n"; };
  EXPECT_EQ(read_proxy_header(line(107)).step, Step::done);
  EXPECT_EQ(read_proxy_header(line(108)).step, Step::refused);
}

}  // namespace
}  // namespace serval::net
