#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// Requests, whatever version of HTTP brought them.
namespace serval::http {

struct Field {
  std::string_view name;   ///< as sent; compare with equal_names
  std::string_view value;  ///< without surrounding white space
};

/// ASCII case-insensitive (RFC 9110 §5.1).
bool equal_names(std::string_view a, std::string_view b);

/// Of HTTP; what came, not what is answered with.
struct Version {
  int major = 1;
  int minor = 1;           ///< the highest one that we know, if a later one came (RFC 9110 §2.5)
  int received_minor = 1;  ///< as it came
};

/// A request's head as all versions of HTTP share it. Views point into memory of the protocol that read it, and live
/// until the request is over.
struct Request {
  std::string_view method;
  std::string_view target;        ///< as sent
  std::string_view
      path;  ///< the target up to '?', still percent-encoded; absolute-form: without scheme and authority; "*" as it is
  std::string_view query;         ///< after '?', still percent-encoded; may be empty
  std::string_view
      host;  ///< Host's value, or the authority of an absolute-form target (RFC 9112 §3.2.2); may be empty in HTTP/1.0
  std::span<const Field> fields;  ///< in the order received, repeated ones kept
  Version version;
};

/// Why a request is answered without asking the app. The connection closes after it.
struct Refusal {
  int status = 400;
  std::string_view reason;  ///< a static sentence for the log and the body, e.g. "space before colon in a header field"
};

/// Copies of the [request] limits that parsers enforce.
struct Limits {
  std::size_t max_header = 64 * 1024;  ///< request line and fields together; beyond: 431
  std::size_t max_headers = 128;       ///< fields; beyond: 431
  std::size_t max_target = 8 * 1024;   ///< beyond: 414
  std::uint64_t max_body = 16u << 20;  ///< decoded bytes; beyond: 413; 0: no limit
};

}  // namespace serval::http
