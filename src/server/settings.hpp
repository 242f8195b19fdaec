#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "http/request.hpp"
#include "http/timeouts.hpp"

namespace serval::server {

/// What the engine goes by. Plain values, read by any thread; they do not change.
struct Settings {
  http::Limits limits;
  http::Timeouts timeouts;
  std::size_t spill_body = 1 << 20;  ///< a larger body is kept in a temporary file
  bool answer_id = false;            ///< handlers' answers get the request's id, X-Request-Id, unless they have one
  bool proxy_protocol = false;       ///< connections of trusted peers begin with a PROXY prefix
  /// Whether a peer is believed in what it says of its own client.
  std::function<bool(std::string_view address)> is_trusted = [](std::string_view) { return false; };
};

}  // namespace serval::server
