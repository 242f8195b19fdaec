#pragma once

#include <optional>
#include <string_view>

#include "http/request.hpp"

namespace serval::http {

enum class Port { optional, required };

/// uri-host [ ":" port ] (RFC 9110 §7.2): a registered name, an IPv4 address or an IPv6 one in brackets; never empty,
/// no userinfo.
bool is_authority(std::string_view text, Port port = Port::optional);

/// Fills path and query, and host for the absolute form, from method and target (RFC 9112 §3.2); else why the target is
/// refused.
std::optional<Refusal> split_target(Request& request);

}  // namespace serval::http
