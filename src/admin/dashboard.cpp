#include "admin/dashboard.hpp"

#include <array>
#include <random>
#include <string_view>

#include "dashboard_html.hpp"  // made of dashboard.html when serval is built

namespace serval::admin {
namespace {

/// 128 bits from the kernel.
std::string make_nonce() {
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 4; ++i) {
    std::array<char, 9> digits;
    std::snprintf(digits.data(), digits.size(), "%08x", random());
    nonce += digits.data();
  }
  return nonce;
}

}  // namespace

Dashboard make_dashboard() {
  constexpr std::string_view kMark = "@NONCE@";
  const std::string nonce = make_nonce();
  Dashboard result{std::string(kDashboardHtml), "default-src 'none'; script-src 'nonce-" + nonce +
                                                    "'; style-src 'nonce-" + nonce +
                                                    "'; connect-src 'self'; img-src data:; base-uri 'none'; "
                                                    "form-action 'none'; frame-ancestors 'none'"};
  for (auto at = result.html.find(kMark); at != std::string::npos; at = result.html.find(kMark, at))
    result.html.replace(at, kMark.size(), nonce);
  return result;
}

}  // namespace serval::admin
