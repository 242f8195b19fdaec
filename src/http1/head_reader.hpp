#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "http1/field_rules.hpp"
#include "http/request.hpp"

namespace serval::http1 {

/// Reads request line and fields (RFC 9112 §3, §5) byte by byte in the order of the wire, and stops where the bytes
/// stop. Each refusal depends only on the bytes up to the one that caused it, so neither cuts nor what follows can
/// change the outcome. Written by hand: Boost.Beast's tokeniser alone costs about as much for a browser's request of 13
/// fields (1 µs) as this does with every check; it waits for the end of the head before it refuses anything, and most
/// of the strictness would be ours anyway.
class HeadReader {
 public:
  enum class Step { need_more, complete, refused };

  explicit HeadReader(const http::Limits& limits) : limits_(limits) {}
  void reset();

  /// `bytes` starts at the first byte of the request line and grows from call to call; it may move, until the head is
  /// complete.
  Step read(std::string_view bytes);
  /// Length of the complete head.
  std::size_t size() const { return at_; }
  /// Empty until the head is complete. After a refusal: method, target and version if the request line was understood,
  /// else empty.
  const http::Request& request() const { return request_; }
  /// Of the complete head.
  const Wire& wire() const { return wire_; }
  const http::Refusal& refusal() const { return refusal_; }

 private:
  enum class State {
    method,
    target,
    version,
    line_end,
    field_start,
    name,
    value_start,
    value,
    value_end,
    last_end,
    complete,
    refused
  };

  bool ended() const { return state_ == State::complete || state_ == State::refused; }
  void follow(const char* base);
  State step(std::string_view bytes);
  State read_method(std::string_view bytes);
  State read_target(std::string_view bytes);
  State read_version(std::string_view bytes);
  State read_line_end(std::string_view bytes);
  State read_field_start(std::string_view bytes);
  State read_name(std::string_view bytes);
  State read_value_start(std::string_view bytes);
  State read_value(std::string_view bytes);
  State read_value_end(std::string_view bytes);
  State read_last_end(std::string_view bytes);
  void hide_line();
  void show_line(std::string_view bytes);
  State finish(std::string_view bytes);
  State refuse(http::Refusal refusal);

  const http::Limits limits_;
  State state_ = State::method;
  std::size_t at_ = 0;     // next byte to look at
  std::size_t start_ = 0;  // of the token being read
  std::size_t method_size_ = 0;
  std::size_t target_size_ = 0;
  std::uintptr_t base_ = 0;  // where the bytes were in the last call: the views in fields_ point there
  bool line_known_ = false;
  bool odd_name_ = false;    // an underscore in the name being read
  std::string_view name_;
  std::vector<http::Field> fields_;
  FieldRules rules_;
  http::Request request_;
  Wire wire_;
  http::Refusal refusal_;
};

}  // namespace serval::http
