#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace serval {

/// A set of peers: `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`, `::1`, `unix` (peers of unix sockets), `*` (all). Pure.
/// IPv4-mapped IPv6 addresses (::ffff:192.0.2.7, RFC 4291 §2.5.5.2) are the IPv4 addresses they hold, on both sides.
class Network {
 public:
  /// Refuses bits set right of the prefix (10.0.0.1/8): more likely a slip than a wish.
  static Result<Network> parse(std::string_view text);
  /// `peer` is an address without port or brackets, or "unix"; a zone ("%eth0") is ignored. False for what is none of
  /// these.
  bool contains(std::string_view peer) const;

 private:
  enum class Kind { everybody, unix_socket, ip };
  Kind kind_ = Kind::ip;
  std::array<std::uint8_t, 16> bits_{};  ///< IPv4 in its mapped form, so that one comparison serves both
  int prefix_ = 128;
};

}  // namespace serval
