#pragma once

#include <span>
#include <string_view>

#include "http/request.hpp"

/// A proxy that is not believed, since request.trusted_proxies does not name it: the app sees its address and "http",
/// and nothing else says why.
namespace serval::worker {

/// An address of a network that no client in the internet has: private, shared, link-local, or unique local (RFC 1918,
/// 6598, 3927, 4193, 4291).
bool is_private(std::string_view address);

/// Whether the fields are what proxies add: X-Forwarded-For, X-Forwarded-Proto, Forwarded.
bool says_forwarded(std::span<const http::Field> fields);

}  // namespace serval::worker
