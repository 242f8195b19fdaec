#include "worker/proxy_hint.hpp"

#include <algorithm>

#include "base/network.hpp"

namespace serval::worker {

bool is_private(std::string_view address) {
  constexpr std::string_view kNetworks[] = {"10.0.0.0/8",    "172.16.0.0/12",  "192.168.0.0/16",
                                            "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
                                            "fc00::/7",      "fe80::/10",      "::1"};
  return std::any_of(std::begin(kNetworks), std::end(kNetworks), [&](std::string_view text) {
    const auto network = Network::parse(text);
    return network && network->contains(address);
  });
}

bool says_forwarded(std::span<const http::Field> fields) {
  return std::any_of(fields.begin(), fields.end(), [](const http::Field& field) {
    return http::equal_names(field.name, "X-Forwarded-For") || http::equal_names(field.name, "X-Forwarded-Proto") ||
           http::equal_names(field.name, "Forwarded");
  });
}

}  // namespace serval::worker
