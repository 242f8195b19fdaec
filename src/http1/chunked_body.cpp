#include "http1/chunked_body.hpp"

#include <algorithm>
#include <limits>

#include "http/ascii.hpp"

namespace serval::http1 {
namespace {

constexpr int kMaxSizeDigits = 16;
constexpr std::size_t kMaxExtension = 4 * 1024;      // nobody reads extensions: a limit per chunk and one per message,
constexpr std::size_t kMaxAllExtensions = 16 * 1024;  // so that one-byte chunks cannot carry megabytes of them
constexpr std::size_t kMaxTrailers = 8 * 1024;
constexpr std::string_view kExtensionsTooLong = "chunk extensions are beyond the limit";

/// Trailer fields are dropped (RFC 9112 §7.1.2), so most that RFC 9110 §6.5.1 forbids do no harm here. Refused are
/// those that decide where a message ends, where it goes and who sends it: a proxy that merges trailers into the head
/// would have understood another request.
constexpr std::string_view kForbiddenTrailers[] = {
    "authorization", "connection",          "content-length", "cookie",  "forwarded",         "host",
    "keep-alive",    "proxy-authorization", "te",             "trailer", "transfer-encoding", "upgrade",
    "x-forwarded-for", "x-forwarded-host",  "x-forwarded-proto",
};

unsigned hex_value(char digit) {
  return static_cast<unsigned>(digit <= '9' ? digit - '0' : http::ascii::lower(digit) - 'a' + 10);
}

}  // namespace

void ChunkedBody::reset() {
  state_ = State::size_start;
  left_ = 0;
  decoded_ = 0;
  all_extension_bytes_ = 0;
  trailers_ = 0;
  trailer_bytes_ = 0;
  refusal_ = http::Refusal{};
}

ChunkedBody::State ChunkedBody::refuse(http::Refusal refusal) {
  refusal_ = refusal;
  return State::refused;
}

ChunkedBody::Result ChunkedBody::read(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::ended && state_ != State::refused) {
    if (state_ != State::data) {
      state_ = read_framing(bytes[at++]);
      continue;
    }
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
    left_ -= size;
    decoded_ += size;
    if (left_ == 0) state_ = State::data_cr;
    return {Step::piece, at + size, bytes.substr(at, size)};
  }
  if (state_ == State::refused) return {Step::refused, at, {}};
  return {state_ == State::ended ? Step::end : Step::need_more, at, {}};
}

ChunkedBody::State ChunkedBody::read_framing(char byte) {
  switch (state_) {
    case State::size_start:
      left_ = 0;
      size_digits_ = 0;
      extension_bytes_ = 0;
      if (!http::ascii::is(byte, http::ascii::hex)) return refuse({400, "a chunk does not start with its size in hex"});
      return read_size(byte);
    case State::size: return read_size(byte);
    case State::space_after_size: return read_space_after_size(byte);
    case State::extension:
    case State::quoted:
    case State::quoted_pair: return read_extension(byte);
    case State::size_end:
      if (byte != '\n') return refuse({400, "a CR without LF after a chunk's size"});
      return begin_chunk();
    case State::data_cr:
    case State::data_lf: return read_data_end(byte);
    case State::trailer_start:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_end:
    case State::last_lf: return read_trailer(byte);
    case State::data:
    case State::ended:
    case State::refused: break;
  }
  return state_;
}

ChunkedBody::State ChunkedBody::read_size(char byte) {
  if (http::ascii::is(byte, http::ascii::hex)) {
    if (++size_digits_ > kMaxSizeDigits) return refuse({400, "a chunk's size has more than 16 digits"});
    left_ = left_ << 4 | hex_value(byte);
    return State::size;
  }
  if (byte == '\r') return State::size_end;
  if (byte == ';') return State::extension;
  if (byte == ' ' || byte == '\t') return read_space_after_size(byte);
  return refuse({400, "a byte that may not stand in a chunk's size"});
}

/// Only an extension may follow: chunk-ext = *( BWS ";" ... ) (RFC 9112 §7.1.1).
ChunkedBody::State ChunkedBody::read_space_after_size(char byte) {
  if (!extension_fits()) return refuse({400, kExtensionsTooLong});
  if (byte == ';') return State::extension;
  if (byte == ' ' || byte == '\t') return State::space_after_size;
  return refuse({400, "white space after a chunk's size, and no extension"});
}

bool ChunkedBody::extension_fits() {
  return ++extension_bytes_ <= kMaxExtension && ++all_extension_bytes_ <= kMaxAllExtensions;
}

ChunkedBody::State ChunkedBody::read_extension(char byte) {
  if (!extension_fits()) return refuse({400, kExtensionsTooLong});
  const bool in_quotes = state_ != State::extension;
  if (byte == '\r' && !in_quotes) return State::size_end;
  const bool fits = http::ascii::is(byte, http::ascii::value) && (in_quotes || static_cast<unsigned char>(byte) < 0x80);
  if (!fits) return refuse({400, "a byte that may not stand in a chunk extension"});
  if (state_ == State::quoted_pair) return State::quoted;
  if (state_ == State::quoted && byte == '\\') return State::quoted_pair;
  if (byte == '"') return in_quotes ? State::extension : State::quoted;
  return state_;
}

ChunkedBody::State ChunkedBody::begin_chunk() {
  if (left_ == 0) return State::trailer_start;
  const std::uint64_t limit = limits_.max_body != 0 ? limits_.max_body : std::numeric_limits<std::uint64_t>::max();
  if (left_ > limit - decoded_) return refuse({413, "the chunked body is beyond the limit"});
  return State::data;
}

ChunkedBody::State ChunkedBody::read_data_end(char byte) {
  if (state_ == State::data_cr && byte == '\r') return State::data_lf;
  if (state_ == State::data_lf && byte == '\n') return State::size_start;
  return refuse({400, "a chunk is longer or shorter than its size"});
}

ChunkedBody::State ChunkedBody::read_trailer(char byte) {
  if (++trailer_bytes_ > kMaxTrailers) return refuse({431, "trailer fields are beyond the limit"});
  switch (state_) {
    case State::trailer_start:
      if (byte == '\r') return State::last_lf;
      if (byte == ' ' || byte == '\t') return refuse({400, "a folded line in the trailer"});
      if (++trailers_ > limits_.max_headers)
        return refuse({431, "more trailer fields than the limit for header fields"});
      name_size_ = 0;
      return read_trailer_name(byte);
    case State::trailer_name: return read_trailer_name(byte);
    case State::trailer_value:
      if (byte == '\r') return State::trailer_end;
      if (!http::ascii::is(byte, http::ascii::value)) return refuse({400, "a control byte in a trailer field"});
      return state_;
    case State::trailer_end:
      if (byte != '\n') return refuse({400, "a CR without LF in the trailer"});
      return State::trailer_start;
    case State::last_lf:
      if (byte != '\n') return refuse({400, "a CR without LF in the trailer"});
      return State::ended;
    case State::size_start:
    case State::size:
    case State::space_after_size:
    case State::extension:
    case State::quoted:
    case State::quoted_pair:
    case State::size_end:
    case State::data:
    case State::data_cr:
    case State::data_lf:
    case State::ended:
    case State::refused: break;
  }
  return state_;
}

ChunkedBody::State ChunkedBody::read_trailer_name(char byte) {
  if (http::ascii::is(byte, http::ascii::token)) {
    if (name_size_ < name_.size()) name_[name_size_] = byte == '_' ? '-' : http::ascii::lower(byte);
    ++name_size_;
    return State::trailer_name;
  }
  if (byte != ':') return refuse({400, "a byte that may not stand in a trailer field's name"});
  if (name_size_ == 0) return refuse({400, "a trailer field without a name"});
  const std::string_view name(name_.data(), std::min(name_size_, name_.size()));
  if (name_size_ <= name_.size() &&
      std::ranges::find(kForbiddenTrailers, name) != std::ranges::end(kForbiddenTrailers)) {
    return refuse({400, "a trailer field that may only stand in the head"});
  }
  return State::trailer_value;
}

}  // namespace serval::http
