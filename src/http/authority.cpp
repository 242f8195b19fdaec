#include "http/authority.hpp"

#include <charconv>

namespace serval::http {
namespace {

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(port) : std::nullopt;
}

}  // namespace

HostAndPort split_authority(std::string_view authority) {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return {authority, std::nullopt};
    const std::string_view rest = authority.substr(end + 1);
    return {authority.substr(1, end - 1), rest.starts_with(':') ? port_in(rest.substr(1)) : std::nullopt};
  }
  const auto colon = authority.find(':');
  if (colon == std::string_view::npos) return {authority, std::nullopt};
  // Several colons without brackets: an IPv6 address as it must not be written.
  if (authority.find(':', colon + 1) != std::string_view::npos) return {authority, std::nullopt};
  return {authority.substr(0, colon), port_in(authority.substr(colon + 1))};
}

}  // namespace serval::http
