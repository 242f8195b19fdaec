#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http1/chunked_body.hpp"
#include "http1/head_reader.hpp"
#include "http/request.hpp"

namespace serval::http1 {

/// Reads requests out of bytes, without I/O: the caller shows what it has not consumed yet, the parser says what to do
/// next. The outcome does not depend on how the bytes were cut. Strict (RFC 9112, RFC 9110): what two readers could
/// understand differently is refused. Not thread-safe; one per connection, reused for each request (reset keeps its
/// memory, so steady state allocates nothing).
class RequestParser {
 public:
  enum class Step {
    need_more,  ///< show more bytes (the unconsumed ones again, at any address as long as the head is incomplete)
    head,       ///< request() and wire() are complete: the head's bytes are `consumed` and must now stay where they are
                ///< until reset()
    body,       ///< `body` is the next piece of the decoded body, a view into the bytes shown
    end,        ///< the message is complete
    refused,    ///< refusal() says how to answer; the connection's bytes mean nothing from here on (none is consumed)
  };
  struct Result {
    Step step = Step::need_more;
    std::size_t consumed = 0;  ///< drop so many bytes from the front before the next call
    std::string_view body;
  };

  explicit RequestParser(const http::Limits& limits);

  /// One step further. Call again after every step but need_more and refused; after end, reset() first.
  Result next(std::string_view unread);
  /// Ready for the next request on the connection.
  void reset();
  /// True once the first byte of a request (not the CRLF that RFC 9112 §2.2 lets us skip) has been seen since reset().
  bool started() const { return state_ != State::before; }

  /// Empty until Step::head. After a refusal of the head: method, target and version if the request line was understood
  /// (views into the bytes shown last), else empty.
  const http::Request& request() const { return reader_.request(); }
  /// Of the complete head.
  const Wire& wire() const { return reader_.wire(); }
  const http::Refusal& refusal() const { return refusal_; }

 private:
  enum class State { before, head, sized_body, chunked_body, ended, refused };

  Result skip_empty_lines(std::string_view unread);
  Result read_head(std::string_view unread);
  Result read_sized_body(std::string_view unread);
  Result read_chunked_body(std::string_view unread);
  Result refuse(const http::Refusal& refusal);

  State state_ = State::before;
  int empty_lines_ = 0;
  HeadReader reader_;
  ChunkedBody chunked_;
  std::uint64_t left_ = 0;  // of a body with a length
  http::Refusal refusal_;
};

}  // namespace serval::http
