#include "http/forwarded.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "http/ascii.hpp"

namespace serval::http {
namespace {

bool is_address(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.empty() || text.size() >= copy.size()) return false;
  std::memcpy(copy.data(), text.data(), text.size());
  in6_addr address{};  // the larger one
  return inet_pton(family, copy.data(), &address) == 1;
}

/// "1.2.3.4", "1.2.3.4:5", "::1", "[::1]", "[::1]:5" without port and brackets; empty if it is none of them.
std::string_view take_address(std::string_view node) {
  std::string_view address = node;
  std::string_view port;
  if (node.starts_with('[')) {
    const std::size_t bracket = std::min(node.find(']'), node.size() - 1);
    address = node.substr(1, bracket - 1);
    port = node.substr(bracket + 1);
    if (!is_address(AF_INET6, address)) return {};
  } else if (!is_address(AF_INET6, node)) {
    const std::size_t colon = std::min(node.find(':'), node.size());
    address = node.substr(0, colon);
    port = node.substr(colon);
    if (!is_address(AF_INET, address)) return {};
  }
  if (!port.empty() && (port.front() != ':' || !ascii::all(port.substr(1), ascii::digit))) return {};
  return address;
}

/// "http" or "https" as a constant; empty for anything else.
std::string_view known_scheme(std::string_view text) {
  if (equal_names(text, "https")) return "https";
  if (equal_names(text, "http")) return "http";
  return {};
}

struct Hop {
  std::string_view node;
  std::string_view scheme;
};

std::vector<std::string_view> elements_of(std::span<const Field> fields, std::string_view name) {
  std::vector<std::string_view> elements;
  for (const Field& field : fields) {
    if (!equal_names(field.name, name)) continue;
    for (std::string_view list = field.value; !list.empty();) elements.push_back(ascii::take_element(list));
  }
  return elements;
}

/// Proxies either append to X-Forwarded-Proto, then it runs beside X-Forwarded-For, or set it: then its last word is
/// the nearest proxy's.
std::vector<Hop> x_forwarded_hops(std::span<const Field> fields) {
  const auto nodes = elements_of(fields, "x-forwarded-for");
  const auto schemes = elements_of(fields, "x-forwarded-proto");
  std::vector<Hop> hops;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string_view scheme = schemes.empty()                  ? std::string_view{}
                                    : schemes.size() == nodes.size() ? schemes[i]
                                                                     : schemes.back();
    hops.push_back({nodes[i], scheme});
  }
  if (nodes.empty() && !schemes.empty()) hops.push_back({{}, schemes.back()});
  return hops;
}

std::string_view unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

/// One element: for=192.0.2.60;proto=http;by=203.0.113.43. No value that matters to us may hold ';' or ',' even in
/// quotes.
Hop read_forwarded_element(std::string_view element) {
  Hop hop;
  while (!element.empty()) {
    const std::string_view pair = element.substr(0, element.find(';'));
    element.remove_prefix(std::min(pair.size() + 1, element.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = ascii::trim(pair.substr(0, equals));
    const std::string_view value = unquoted(ascii::trim(pair.substr(equals + 1)));
    if (equal_names(name, "for")) hop.node = value;
    if (equal_names(name, "proto")) hop.scheme = value;
  }
  return hop;
}

/// By the first letter of its name. Most requests have no such field, and each one comes by here.
bool may_speak_of_origin(const Field& field) {
  const char first = field.name.empty() ? '\0' : field.name.front();
  return first == 'X' || first == 'x' || first == 'F' || first == 'f';
}

std::vector<Hop> forwarded_hops(std::span<const Field> fields) {
  std::vector<Hop> hops;
  for (const std::string_view element : elements_of(fields, "forwarded"))
    hops.push_back(read_forwarded_element(element));
  return hops;
}

}  // namespace

ClientOrigin find_origin(std::span<const Field> fields, const ClientOrigin& direct,
                         const std::function<bool(std::string_view)>& is_trusted) {
  if (std::none_of(fields.begin(), fields.end(), may_speak_of_origin) || !is_trusted(direct.address)) return direct;
  std::vector<Hop> hops = x_forwarded_hops(fields);
  if (hops.empty()) hops = forwarded_hops(fields);
  ClientOrigin origin = direct;
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    if (const std::string_view scheme = known_scheme(hop->scheme); !scheme.empty()) origin.scheme = scheme;
    const std::string_view address = take_address(hop->node);
    if (address.empty()) break;
    origin.address = address;
    if (!is_trusted(address)) break;
  }
  return origin;
}

}  // namespace serval::http
