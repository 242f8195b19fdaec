#pragma once

#include <string_view>

/// The words that a template of [log] access_format may use, written "$name" there. One table:
/// base/access_template.hpp reads templates by it, http fills the values in, the man page lists it.
namespace serval {

struct AccessAtom {
  std::string_view name;     ///< without the '$'
  std::string_view meaning;
};

inline constexpr AccessAtom kAccessAtoms[] = {
    {"peer", "address of the client, after trusted proxies were believed"},
    {"time", "when the first byte of the request arrived, ISO 8601 in UTC"},
    {"method", "request method"},
    {"target", "request target as sent"},
    {"path", "the target without its query, as sent"},
    {"protocol", "HTTP version as sent; HTTP/1.2 and later are taken for HTTP/1.1"},
    {"host", "Host header"},
    {"referer", "Referer header"},
    {"user_agent", "User-Agent header"},
    {"request_id", "X-Request-Id as sent by the client or made by serval"},
    {"status", "status code sent; 499: the client was gone before an answer"},
    {"bytes_in", "bytes of the request body received"},
    {"bytes_out", "bytes of the response body sent"},
    {"duration_us", "microseconds from the first byte of the request to the last byte of the answer"},
    {"queue_wait_us", "microseconds spent waiting for an app thread"},
    {"worker", "slot of the worker"},
    {"pid", "process id of the worker"},
    {"outcome", "ok, refused, client_gone, timeout, app_failed, overload or cut"},
    {"reason", "why serval itself answered, for example \"a bare LF in the head\"; - for what the app answered"},
    {"received", "beginning of the first line of a refused request, as it came; - for others"},
};

}  // namespace serval
