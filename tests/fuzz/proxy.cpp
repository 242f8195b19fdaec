// The PROXY prefix of a connection: found the same however much of it has come, refused as soon as it cannot become
// one.
#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "fuzz.hpp"
#include "net/proxy_protocol.hpp"

namespace serval::fuzz {
namespace {

using Step = net::ProxyHeader::Step;

bool is_address(const std::string& text) {
  in6_addr address{};
  return text == "unix" || inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool same(const net::ProxyHeader& a, const net::ProxyHeader& b) {
  return a.step == b.step && a.consumed == b.consumed && a.local == b.local && a.address == b.address &&
         a.port == b.port && a.reason == b.reason;
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  const net::ProxyHeader whole = net::read_proxy_header(bytes);
  constexpr std::size_t longest = 16 + 4096;
  SERVAL_CHECK(whole.consumed <= bytes.size() && whole.consumed <= longest);
  SERVAL_CHECK(whole.step != Step::need_more || bytes.size() < longest);
  SERVAL_CHECK((whole.step == Step::refused) != whole.reason.empty());
  if (whole.step == Step::done) {
    SERVAL_CHECK(whole.consumed > 0 && (whole.local ? whole.address.empty() : is_address(whole.address)));
  }

  bool final = false;
  for (std::size_t size = 0; size <= std::min<std::size_t>(bytes.size(), 300); ++size) {
    const net::ProxyHeader now = net::read_proxy_header(bytes.substr(0, size));
    if (now.step == Step::need_more) {
      SERVAL_CHECK(!final);
      continue;
    }
    final = true;
    SERVAL_CHECK(now.step == whole.step);
    if (now.step == Step::done) SERVAL_CHECK(same(now, whole));
  }
}

}  // namespace serval::fuzz
