#include "http/target.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "http/ascii.hpp"

namespace serval::http {
namespace {

bool is_port(std::string_view text) {
  if (text.size() > 5 || !ascii::all(text, ascii::digit)) return false;
  unsigned number = 0;
  for (const char digit : text) number = number * 10 + static_cast<unsigned>(digit - '0');
  return number <= 65535;
}

bool is_ipv6(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size()) return false;
  std::memcpy(copy.data(), text.data(), text.size());
  in6_addr address{};
  return std::strlen(copy.data()) == text.size() && inet_pton(AF_INET6, copy.data(), &address) == 1;
}

/// Of the registered name (RFC 3986 §3.2.2) that the text begins with.
std::size_t length_of_name(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && ascii::is(text[at], ascii::reg_name)) ++at;
    if (text.size() - at < 3 || text[at] != '%' || !ascii::all(text.substr(at + 1, 2), ascii::hex)) return at;
    at += 3;
  }
}

void split_query(Request& request, std::string_view rest) {
  const std::size_t mark = rest.find('?');
  request.path = rest.substr(0, mark);
  request.query = mark == std::string_view::npos ? std::string_view{} : rest.substr(mark + 1);
}

/// The length of "http://" or "https://" at the front, else 0.
std::size_t scheme_length(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (equal_names(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

std::optional<Refusal> split_absolute(Request& request, std::size_t scheme) {
  const std::string_view rest = request.target.substr(scheme);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  request.host = rest.substr(0, end);
  if (!is_authority(request.host)) return Refusal{400, "the target's authority is not a valid host"};
  split_query(request, rest.substr(end));
  if (request.path.empty()) request.path = "/";  // RFC 9110 §4.2.3: an empty path is the same as "/"
  return std::nullopt;
}

}  // namespace

bool is_authority(std::string_view text, Port port) {
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || !is_ipv6(text.substr(1, bracket - 1))) return false;
    host_end = bracket + 1;
  } else {
    host_end = length_of_name(text);
    if (host_end == 0) return false;
  }
  if (host_end == text.size()) return port == Port::optional;
  const std::string_view rest = text.substr(host_end);
  if (rest.size() == 1 && port == Port::required) return false;
  return rest.front() == ':' && is_port(rest.substr(1));
}

std::optional<Refusal> split_target(Request& request) {
  const std::string_view target = request.target;
  if (request.method == "CONNECT") {
    if (!is_authority(target, Port::required)) return Refusal{400, "the target of CONNECT is not host:port"};
    return Refusal{501, "CONNECT is not served"};
  }
  if (target.starts_with('/')) {
    split_query(request, target);
    return std::nullopt;
  }
  if (target == "*") {
    if (request.method != "OPTIONS") return Refusal{400, "only OPTIONS may have the target *"};
    request.path = target;
    return std::nullopt;
  }
  if (const std::size_t scheme = scheme_length(target); scheme > 0) return split_absolute(request, scheme);
  return Refusal{400, "the target is neither a path nor an http URL"};
}

}  // namespace serval::http
