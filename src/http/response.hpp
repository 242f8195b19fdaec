#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/output_queue.hpp"
#include "http/request.hpp"

/// Answers, whatever version of HTTP takes them to the client: what may be said, and what a status means (RFC 9110).
namespace serval::http {

/// An answer as a handler gives it.
struct Response {
  int status = 200;
  std::span<const Field> fields;  ///< not yet checked: the receiver refuses CR, LF and NUL (500 and a log line)
  std::string_view body;          ///< valid during the call only, unless `release` is given:
  Release release;                ///< then the receiver may keep the view, and calls it once, on any thread
};

/// What the rules of an answer's body depend on.
struct AnswerTo {
  bool head_request = false;  ///< HEAD: headers as for GET, no body
  int status = 200;
};

/// Null if the field may be sent, else why not ("CR in the value"). Also refuses names that are not tokens, and the
/// fields that serval itself owns by framing: Content-Length with another value than the body's, and the hop-by-hop
/// ones of RFC 9110 §7.6.1.
const char* why_not_sendable(const Field& field, std::size_t body_size);
/// The same, but answers to HEAD and 304 may have the Content-Length that the answer to GET would have (RFC 9110 §8.6).
const char* why_not_sendable(const Field& field, const AnswerTo& to, std::size_t body_size);
/// Whether a field that is not sendable can be left out without another meaning of the rest: hop-by-hop fields, but for
/// a Transfer-Encoding other than chunked, since the body may be coded so.
bool may_be_dropped(const Field& field);
/// Null if the app may answer with this status: 200 to 599. 1xx are serval's own.
const char* why_not_sendable(int status);

/// False for HEAD, 1xx, 204, 205 and 304: then no byte of the body may follow the head.
bool carries_body(const AnswerTo& to);

/// 1xx: another answer follows.
bool is_interim(int status);
/// Content-Length.
bool is_length(const Field& field);

/// "Not Found" for 404; "" if unknown.
std::string_view reason_phrase(int status);

}  // namespace serval::http
