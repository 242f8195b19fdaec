#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "http/request.hpp"
#include "http1/wire.hpp"

namespace serval::http1 {

/// What the fields of a request say about its framing and its connection, and which of them are refused (RFC 9112 §3.2,
/// §6; RFC 9110 §10.1.1). Shown each field once, in order, then asked to finish the head. Pure; refuses whatever two
/// readers could understand differently.
class FieldRules {
 public:
  /// `odd` tells that the name holds an underscore.
  std::optional<http::Refusal> see(const http::Field& field, bool odd);
  /// Fills `wire`, and the request's host unless the target gave it.
  std::optional<http::Refusal> finish(http::Request& request, Wire& wire, std::uint64_t max_body) const;

 private:
  std::optional<http::Refusal> see_content_length(std::string_view value);
  std::optional<http::Refusal> see_transfer_encoding(std::string_view value);
  std::optional<http::Refusal> see_host(std::string_view value);
  void see_connection(std::string_view value);
  void see_expect(std::string_view value);
  std::optional<http::Refusal> find_body(http::Version version, Wire& wire, std::uint64_t max_body) const;

  std::size_t seen_ = 0;
  std::size_t host_at_ = 0;  // an index: the bytes may move between see() and finish()
  std::uint64_t content_length_ = 0;
  bool has_host_ = false;
  bool has_content_length_ = false;
  bool has_transfer_encoding_ = false;
  bool chunked_ = false;
  bool unknown_coding_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool expects_other_ = false;
};

}  // namespace serval::http
