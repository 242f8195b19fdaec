#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/request.hpp"

namespace serval::http1 {

/// Takes the chunked coding off a body (RFC 9112 §7.1), byte by byte in the order of the wire; everything that is not
/// data is consumed at once, so the caller's buffer may be as small as it likes. Extensions are skipped; trailer fields
/// are dropped, or refused where somebody else could take them for fields of the head.
class ChunkedBody {
 public:
  enum class Step { need_more, piece, end, refused };
  struct Result {
    Step step = Step::need_more;
    std::size_t consumed = 0;
    std::string_view piece;  ///< of the decoded body, a view into the bytes shown
  };

  explicit ChunkedBody(const http::Limits& limits) : limits_(limits) {}
  void reset();
  Result read(std::string_view bytes);
  const http::Refusal& refusal() const { return refusal_; }

 private:
  enum class State {
    size_start, size, space_after_size, extension, quoted, quoted_pair, size_end,
    data, data_cr, data_lf,
    trailer_start, trailer_name, trailer_value, trailer_end, last_lf,
    ended, refused,
  };

  State read_framing(char byte);
  State read_size(char byte);
  State read_space_after_size(char byte);
  State read_extension(char byte);
  bool extension_fits();
  State read_data_end(char byte);
  State read_trailer(char byte);
  State read_trailer_name(char byte);
  State begin_chunk();
  State refuse(http::Refusal refusal);

  const http::Limits limits_;
  State state_ = State::size_start;
  std::uint64_t left_ = 0;       // of the chunk's data; while its size is read: the size so far
  std::uint64_t decoded_ = 0;
  int size_digits_ = 0;
  std::size_t extension_bytes_ = 0;      // of this chunk
  std::size_t all_extension_bytes_ = 0;  // of the message
  std::size_t trailers_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::array<char, 24> name_{};  // of the trailer being read, in lower case; longer ones are never forbidden
  std::size_t name_size_ = 0;
  http::Refusal refusal_;
};

}  // namespace serval::http
