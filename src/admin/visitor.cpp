#include "admin/visitor.hpp"

#include "base/address.hpp"
#include "base/network.hpp"
#include "http/authority.hpp"
#include "http/request.hpp"

namespace serval::admin {
namespace {

constexpr std::string_view kUnderLocalhost = ".localhost";

bool is_address(std::string_view host) {
  return host.find_first_of("/*") == std::string_view::npos && host != "unix" && Network::parse(host).has_value();
}

}  // namespace

bool is_for_this_machine(std::string_view bind) {
  const auto address = Address::parse(bind);
  if (!address || address->kind != Address::Kind::tcp) return false;
  return address->host == "localhost" || address->host == "::1" || address->host.starts_with("127.");
}

bool is_named_locally(std::string_view host) {
  const std::string_view name = http::split_authority(host).host;
  return name.empty() || is_address(name) || http::equal_names(name, "localhost") ||
         (name.size() > kUnderLocalhost.size() &&
          http::equal_names(name.substr(name.size() - kUnderLocalhost.size()), kUnderLocalhost));
}

}  // namespace serval::admin
