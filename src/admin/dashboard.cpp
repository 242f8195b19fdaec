#include "admin/dashboard.hpp"

#include <string_view>

#include "os/random.hpp"

#include "dashboard_html.hpp"  // made of dashboard.html when serval is built

namespace serval::admin {
Dashboard make_dashboard() {
  constexpr std::string_view kMark = "@NONCE@";
  const std::string nonce = os::random_hex(16);
  Dashboard result{std::string(kDashboardHtml), "default-src 'none'; script-src 'nonce-" + nonce +
                                                    "'; style-src 'nonce-" + nonce +
                                                    "'; connect-src 'self'; img-src data:; base-uri 'none'; "
                                                    "form-action 'none'; frame-ancestors 'none'"};
  for (auto at = result.html.find(kMark); at != std::string::npos; at = result.html.find(kMark, at))
    result.html.replace(at, kMark.size(), nonce);
  return result;
}

}  // namespace serval::admin
