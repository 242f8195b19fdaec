#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace serval::http {

/// The two halves of a Host field's value (RFC 9110 §7.2).
struct HostAndPort {
  std::string_view host;              ///< without the brackets of an IPv6 address
  std::optional<std::uint16_t> port;  ///< none: it is not said, or no port
};

/// Views of `authority`. What has no port in it is all host.
HostAndPort split_authority(std::string_view authority);

}  // namespace serval::http
