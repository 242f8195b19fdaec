#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/request.hpp"

/// Turns answers into bytes, without I/O (RFC 9112 §6, RFC 9110 §6.4, §8.6).
namespace serval::http {

/// What the framing of an answer depends on.
struct Exchange {
  bool head_request = false;   ///< HEAD: headers as for GET, no body
  int minor_version = 1;
  bool close = false;          ///< say `Connection: close` (to a 1.0 client that asked for keep-alive otherwise: `keep-alive`)
  bool asked_keep_alive_1_0 = false;
};

/// Null if the field may be sent, else why not ("CR in the value"). Also refuses names that are not tokens, and the fields that serval itself
/// owns by framing: Content-Length with another value than the body's, and the hop-by-hop ones of RFC 9110 §7.6.1.
const char* why_not_sendable(const Field& field, std::size_t body_size);
/// The same, but answers to HEAD and 304 may have the Content-Length that the answer to GET would have (RFC 9110 §8.6).
const char* why_not_sendable(const Field& field, const Exchange& exchange, int status, std::size_t body_size);
/// Whether a field that is not sendable can be left out without another meaning of the rest: hop-by-hop fields, but for a Transfer-Encoding other than
/// chunked, since the body may be coded so.
bool may_be_dropped(const Field& field);
/// Null if the app may answer with this status: 200 to 599. 1xx are serval's own.
const char* why_not_sendable(int status);

/// Appends status line, Date, the app's fields (their order kept), Connection and Content-Length, and the empty line to `out`.
/// 204 and 1xx carry no Content-Length; 304 keeps the app's, so does HEAD; 205 has 0. A Date of the app replaces ours. The body is not appended.
/// The fields must be sendable.
/// `date` is the IMF-fixdate text (http/date.hpp). Allocates only when `out` must grow.
void append_head(std::string& out, const Exchange& exchange, int status, std::span<const Field> fields, std::size_t body_size, std::string_view date);

/// False for HEAD, 1xx, 204, 205 and 304: then no byte of the body may follow the head.
bool carries_body(const Exchange& exchange, int status);

/// A whole small answer made by serval itself (refusals, 500, 503, 504): text/plain, `Connection: close`, `Retry-After: 1` for 503.
/// Returns the size of its body.
std::size_t append_error(std::string& out, const Exchange& exchange, int status, std::string_view reason, std::string_view date);

/// "Not Found" for 404; "" if unknown.
std::string_view reason_phrase(int status);

}  // namespace serval::http
