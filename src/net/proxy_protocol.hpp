#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace serval::net {

/// What a PROXY prefix says (HAProxy's proxy-protocol.txt, versions 1 and 2).
struct ProxyHeader {
  enum class Step { need_more, done, refused };
  Step step = Step::need_more;
  std::size_t consumed = 0;      ///< with done: drop so many bytes; the request follows
  bool local = false;  ///< the proxy speaks for itself (LOCAL, UNKNOWN, UNSPEC): the connection's own address counts
  std::string address;           ///< of the client; "unix" for a unix socket
  std::uint16_t port = 0;
  std::string_view reason;       ///< with refused: a static sentence
};

/// Reads the prefix that must stand at the start of a connection, and only there, if [request] proxy_protocol is on and
/// the peer is trusted. Pure: shown the same bytes and more until it is no longer need_more; refuses as soon as the
/// bytes cannot become a prefix.
ProxyHeader read_proxy_header(std::string_view unread);

}  // namespace serval::net
