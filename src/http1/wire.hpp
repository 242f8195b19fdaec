#pragma once

#include <cstdint>

namespace serval::http1 {

/// How the end of a message's body is found (RFC 9112 §6.3).
enum class BodyKind { none, sized, chunked };

/// What a request's head says about the connection and the bytes after it: business of HTTP/1, and of nobody above.
struct Wire {
  BodyKind body = BodyKind::none;
  std::uint64_t content_length = 0;  ///< of BodyKind::sized
  bool keep_alive = true;            ///< what the client wants, by version and Connection
  bool expect_continue = false;      ///< asked for 100 (ignored for HTTP/1.0, RFC 9110 §10.1.1)
};

}  // namespace serval::http1
