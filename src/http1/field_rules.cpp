#include "http1/field_rules.hpp"

#include <limits>

#include "http/ascii.hpp"
#include "http/target.hpp"

namespace serval::http1 {
namespace {

/// Names that a front end or an app may read as the dashed ones once they became CGI-like variables: the classic way to
/// smuggle them.
bool shadows_a_trusted_name(std::string_view name) {
  const auto like = [](std::string_view text, std::string_view dashed) {
    for (std::size_t i = 0; i < dashed.size(); ++i) {
      const char byte = text[i] == '_' ? '-' : http::ascii::lower(text[i]);
      if (byte != dashed[i]) return false;
    }
    return true;
  };
  for (const std::string_view exact : {std::string_view("content-length"), std::string_view("transfer-encoding")}) {
    if (name.size() == exact.size() && like(name, exact)) return true;
  }
  constexpr std::string_view forwarded = "x-forwarded-";
  return name.size() >= forwarded.size() && like(name.substr(0, forwarded.size()), forwarded);
}

enum class Coding { chunked, chunked_with_parameter, other, malformed };

/// transfer-coding = token *( OWS ";" ... ) (RFC 9112 §7). Parameters of codings that are not served anyway are not
/// looked at.
Coding read_coding(std::string_view element) {
  const std::size_t semicolon = element.find(';');
  const std::string_view name = http::ascii::trim(element.substr(0, semicolon));
  if (name.empty() || !http::ascii::all(name, http::ascii::token)) return Coding::malformed;
  if (!http::equal_names(name, "chunked")) return Coding::other;
  return semicolon == std::string_view::npos ? Coding::chunked : Coding::chunked_with_parameter;
}

}  // namespace

std::optional<http::Refusal> FieldRules::see(const http::Field& field, bool odd) {
  const std::size_t at = seen_++;
  if (odd && shadows_a_trusted_name(field.name))
    return http::Refusal{400, "a field name with an underscore that imitates a trusted one"};
  switch (field.name.size()) {
    case 4:
      if (!http::ascii::is_name(field.name, "host")) break;
      host_at_ = at;
      return see_host(field.value);
    case 6:
      if (http::ascii::is_name(field.name, "expect")) see_expect(field.value);
      break;
    case 10:
      if (http::ascii::is_name(field.name, "connection")) see_connection(field.value);
      break;
    case 14:
      if (http::ascii::is_name(field.name, "content-length")) return see_content_length(field.value);
      break;
    case 17:
      if (http::ascii::is_name(field.name, "transfer-encoding")) return see_transfer_encoding(field.value);
      break;
    default: break;
  }
  return std::nullopt;
}

std::optional<http::Refusal> FieldRules::see_host(std::string_view value) {
  if (has_host_) return http::Refusal{400, "more than one Host"};
  has_host_ = true;
  if (!http::is_authority(value)) return http::Refusal{400, "Host is not a valid host"};
  return std::nullopt;
}

std::optional<http::Refusal> FieldRules::see_content_length(std::string_view value) {
  if (has_content_length_) return http::Refusal{400, "more than one Content-Length"};
  has_content_length_ = true;
  constexpr std::size_t digits_that_fit = std::numeric_limits<std::uint64_t>::digits10;
  if (value.empty() || !http::ascii::all(value, http::ascii::digit))
    return http::Refusal{400, "Content-Length is not a number"};
  if (value.size() > digits_that_fit) return http::Refusal{400, "Content-Length is absurdly large"};
  content_length_ = 0;
  for (const char digit : value) content_length_ = content_length_ * 10 + static_cast<std::uint64_t>(digit - '0');
  return std::nullopt;
}

std::optional<http::Refusal> FieldRules::see_transfer_encoding(std::string_view value) {
  has_transfer_encoding_ = true;
  if (value.ends_with(',')) return http::Refusal{400, "Transfer-Encoding is malformed"};
  do {
    const Coding coding = read_coding(http::ascii::take_element(value));
    if (coding == Coding::malformed) return http::Refusal{400, "Transfer-Encoding is malformed"};
    if (coding == Coding::chunked_with_parameter) return http::Refusal{400, "chunked has no parameters"};
    if (chunked_) return http::Refusal{400, "chunked is not the last transfer coding, or stands twice"};
    if (coding == Coding::chunked) chunked_ = true;
    if (coding == Coding::other) unknown_coding_ = true;
  } while (!value.empty());
  return std::nullopt;
}

void FieldRules::see_connection(std::string_view value) {
  while (!value.empty()) {
    const std::string_view option = http::ascii::take_element(value);
    if (http::equal_names(option, "close")) close_ = true;
    if (http::equal_names(option, "keep-alive")) keep_alive_ = true;
  }
}

void FieldRules::see_expect(std::string_view value) {
  while (!value.empty()) {
    (http::equal_names(http::ascii::take_element(value), "100-continue") ? expects_continue_ : expects_other_) = true;
  }
}

std::optional<http::Refusal> FieldRules::find_body(http::Version version, Wire& wire, std::uint64_t max_body) const {
  wire.body = BodyKind::none;
  wire.content_length = 0;
  if (has_transfer_encoding_) {
    if (has_content_length_) return http::Refusal{400, "Content-Length together with Transfer-Encoding"};
    if (version.minor == 0) return http::Refusal{400, "Transfer-Encoding in HTTP/1.0"};
    if (unknown_coding_) return http::Refusal{501, "a transfer coding other than chunked"};
    wire.body = BodyKind::chunked;
  } else if (has_content_length_) {
    if (max_body != 0 && content_length_ > max_body) return http::Refusal{413, "Content-Length is beyond the limit"};
    wire.body = BodyKind::sized;
    wire.content_length = content_length_;
  }
  return std::nullopt;
}

std::optional<http::Refusal> FieldRules::finish(http::Request& request, Wire& wire, std::uint64_t max_body) const {
  const int minor = request.version.minor;
  if (!has_host_ && minor >= 1) return http::Refusal{400, "no Host"};
  if (auto refusal = find_body(request.version, wire, max_body)) return refusal;
  // RFC 9110 §10.1.1: expectations of HTTP/1.0 clients are ignored; without content there is nothing to continue with.
  if (expects_other_ && minor >= 1) return http::Refusal{417, "an expectation other than 100-continue"};
  const bool has_content = wire.body == BodyKind::chunked || wire.content_length > 0;
  wire.expect_continue = expects_continue_ && has_content && minor >= 1;
  wire.keep_alive = !close_ && (minor >= 1 || keep_alive_);
  if (request.host.empty() && has_host_) request.host = request.fields[host_at_].value;
  return std::nullopt;
}

}  // namespace serval::http
