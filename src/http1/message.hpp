#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/input_buffer.hpp"
#include "base/time.hpp"
#include "http/stream.hpp"
#include "http1/head_writer.hpp"
#include "http1/request_parser.hpp"

namespace serval::http1 {

/// One request of an HTTP/1 connection, with the bytes that it was read from: its handler may outlive the connection.
class Message final : public http::Stream {
 public:
  explicit Message(const http::Limits& limits) : Stream(parser.request()), parser(limits) {}

  RequestParser parser;
  InputBuffer input;           ///< the connection's bytes, the head among them; handed back when the answer is out
  InputBuffer body_input;      ///< what is read after a head whose body was not all there: the head must not move
  bool body_apart = false;     ///< that is in use
  std::size_t head_at = 0;     ///< where in `input` the request begins
  std::size_t head_size = 0;   ///< 0: the head is not complete
  std::uint64_t body_bytes = 0;
  TimePoint first_byte;

  /// Where the next bytes belong.
  InputBuffer& unread() { return body_apart ? body_input : input; }

  void spell(std::string& out, const http::ResponseHead& head, std::string_view date) const override;
  std::string_view received() const override;
  void reset() override;
};

}  // namespace serval::http1
