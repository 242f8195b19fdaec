#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "http/request.hpp"

namespace serval::http {

/// The client that really asks, and over what.
struct ClientOrigin {
  std::string_view address;  ///< without port and brackets
  std::string_view scheme;   ///< "http" or "https"
};

/// What a trusted proxy says about its client: the rightmost hop that is not trusted itself, since everything left of
/// it may be made up. X-Forwarded-For and -Proto go before Forwarded (RFC 7239): most proxies set the former and hand
/// the latter on as the client sent it. Garbage ends the walk: the last hop before it counts. An untrusted peer is not
/// believed: the result is `direct`. Views into the fields or into `direct`.
ClientOrigin find_origin(std::span<const Field> fields, const ClientOrigin& direct,
                         const std::function<bool(std::string_view address)>& is_trusted);

}  // namespace serval::http
