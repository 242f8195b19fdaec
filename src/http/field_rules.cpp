#include "http/field_rules.hpp"

#include <limits>

#include "http/ascii.hpp"
#include "http/target.hpp"

namespace serval::http {
namespace {

/// Names that a front end or an app may read as the dashed ones once they became CGI-like variables: the classic way to smuggle them.
bool shadows_a_trusted_name(std::string_view name) {
  const auto like = [](std::string_view text, std::string_view dashed) {
    for (std::size_t i = 0; i < dashed.size(); ++i) {
      const char byte = text[i] == '_' ? '-' : ascii::lower(text[i]);
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

/// transfer-coding = token *( OWS ";" ... ) (RFC 9112 §7). Parameters of codings that are not served anyway are not looked at.
Coding read_coding(std::string_view element) {
  const std::size_t semicolon = element.find(';');
  const std::string_view name = ascii::trim(element.substr(0, semicolon));
  if (name.empty() || !ascii::all(name, ascii::token)) return Coding::malformed;
  if (!equal_names(name, "chunked")) return Coding::other;
  return semicolon == std::string_view::npos ? Coding::chunked : Coding::chunked_with_parameter;
}

}  // namespace

std::optional<Refusal> FieldRules::see(const Field& field, bool odd) {
  const std::size_t at = seen_++;
  if (odd && shadows_a_trusted_name(field.name)) return Refusal{400, "a field name with an underscore that imitates a trusted one"};
  switch (field.name.size()) {
    case 4:
      if (!ascii::is_name(field.name, "host")) break;
      host_at_ = at;
      return see_host(field.value);
    case 6:
      if (ascii::is_name(field.name, "expect")) see_expect(field.value);
      break;
    case 10:
      if (ascii::is_name(field.name, "connection")) see_connection(field.value);
      break;
    case 14:
      if (ascii::is_name(field.name, "content-length")) return see_content_length(field.value);
      break;
    case 17:
      if (ascii::is_name(field.name, "transfer-encoding")) return see_transfer_encoding(field.value);
      break;
    default: break;
  }
  return std::nullopt;
}

std::optional<Refusal> FieldRules::see_host(std::string_view value) {
  if (has_host_) return Refusal{400, "more than one Host"};
  has_host_ = true;
  if (!is_authority(value)) return Refusal{400, "Host is not a valid host"};
  return std::nullopt;
}

std::optional<Refusal> FieldRules::see_content_length(std::string_view value) {
  if (has_content_length_) return Refusal{400, "more than one Content-Length"};
  has_content_length_ = true;
  constexpr std::size_t digits_that_fit = std::numeric_limits<std::uint64_t>::digits10;
  if (value.empty() || !ascii::all(value, ascii::digit)) return Refusal{400, "Content-Length is not a number"};
  if (value.size() > digits_that_fit) return Refusal{400, "Content-Length is absurdly large"};
  content_length_ = 0;
  for (const char digit : value) content_length_ = content_length_ * 10 + static_cast<std::uint64_t>(digit - '0');
  return std::nullopt;
}

std::optional<Refusal> FieldRules::see_transfer_encoding(std::string_view value) {
  has_transfer_encoding_ = true;
  if (value.ends_with(',')) return Refusal{400, "Transfer-Encoding is malformed"};
  do {
    const Coding coding = read_coding(ascii::take_element(value));
    if (coding == Coding::malformed) return Refusal{400, "Transfer-Encoding is malformed"};
    if (coding == Coding::chunked_with_parameter) return Refusal{400, "chunked has no parameters"};
    if (chunked_) return Refusal{400, "chunked is not the last transfer coding, or stands twice"};
    if (coding == Coding::chunked) chunked_ = true;
    if (coding == Coding::other) unknown_coding_ = true;
  } while (!value.empty());
  return std::nullopt;
}

void FieldRules::see_connection(std::string_view value) {
  while (!value.empty()) {
    const std::string_view option = ascii::take_element(value);
    if (equal_names(option, "close")) close_ = true;
    if (equal_names(option, "keep-alive")) keep_alive_ = true;
  }
}

void FieldRules::see_expect(std::string_view value) {
  while (!value.empty()) {
    (equal_names(ascii::take_element(value), "100-continue") ? expects_continue_ : expects_other_) = true;
  }
}

std::optional<Refusal> FieldRules::find_framing(Head& head, std::uint64_t max_body) const {
  head.framing = Framing::none;
  head.content_length = 0;
  if (has_transfer_encoding_) {
    if (has_content_length_) return Refusal{400, "Content-Length together with Transfer-Encoding"};
    if (head.minor_version == 0) return Refusal{400, "Transfer-Encoding in HTTP/1.0"};
    if (unknown_coding_) return Refusal{501, "a transfer coding other than chunked"};
    head.framing = Framing::chunked;
  } else if (has_content_length_) {
    if (max_body != 0 && content_length_ > max_body) return Refusal{413, "Content-Length is beyond the limit"};
    head.framing = Framing::length;
    head.content_length = content_length_;
  }
  return std::nullopt;
}

std::optional<Refusal> FieldRules::finish(Head& head, std::uint64_t max_body) const {
  if (!has_host_ && head.minor_version >= 1) return Refusal{400, "no Host"};
  if (auto refusal = find_framing(head, max_body)) return refusal;
  // RFC 9110 §10.1.1: expectations of HTTP/1.0 clients are ignored; without content there is nothing to continue with.
  if (expects_other_ && head.minor_version >= 1) return Refusal{417, "an expectation other than 100-continue"};
  const bool has_content = head.framing == Framing::chunked || head.content_length > 0;
  head.expect_continue = expects_continue_ && has_content && head.minor_version >= 1;
  head.keep_alive = !close_ && (head.minor_version >= 1 || keep_alive_);
  if (head.host.empty() && has_host_) head.host = head.fields[host_at_].value;
  return std::nullopt;
}

}  // namespace serval::http
