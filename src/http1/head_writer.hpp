#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http/request.hpp"
#include "http/stream.hpp"

/// Turns answers into bytes, without I/O (RFC 9112 §6, RFC 9110 §6.4, §8.6).
namespace serval::http1 {

/// What the framing of an answer depends on.
struct Framing {
  bool head_request = false;  ///< HEAD: headers as for GET, no body
  int minor_version = 1;
  bool asked_keep_alive_1_0 = false;  ///< it is told so, unless the connection closes
};

/// Appends status line, Date, the app's fields (their order kept), Connection and Content-Length, and the empty line to
/// `out`. 204 and 1xx carry no Content-Length; 304 keeps the app's, so does HEAD; 205 has 0. A Date of the app replaces
/// ours. The body is not appended. The fields must be sendable (http/response.hpp). `date` is the IMF-fixdate text
/// (http/date.hpp). Allocates only when `out` must grow.
void append_head(std::string& out, const Framing& framing, const http::ResponseHead& head, std::string_view date);

}  // namespace serval::http1
