#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace serval {

/// What two places to listen on have in common.
enum class Overlap {
  none,
  /// [::] and an IPv4 address of one port: both are possible if [::] leaves IPv4 alone (IPV6_V6ONLY, ipv6(7))
  dual_stack,
  full,        ///< the same place by whatever name, or an interface beside all of its family: never both
};

/// A place to listen on, as [server] bind says it. Pure: nothing is resolved or opened (os/listen.hpp does).
///
/// | text                               | kind          | holds                                   |
/// |------------------------------------|---------------|-----------------------------------------|
/// | `127.0.0.1:8000` `localhost:8000`  | tcp           | host, port                              |
/// | `[::1]:8000`                       | tcp           | host without brackets, port             |
/// | `:8000` `8000` `*:8000`            | tcp           | host "0.0.0.0" (every IPv4 interface)   |
/// | `[::]:8000`                        | tcp           | host "::": every interface, v4 and v6   |
/// | `unix:/run/shop.sock`              | unix_path     | name: the path                          |
/// | `unix:/x.sock?mode=0660&user=U&group=G` | unix_path | what is said of the file: mode, user, group, each once |
/// | `unix:@shop`                       | unix_abstract | name without the '@' (unix(7))          |
/// | `fd:NAME`                          | systemd       | name: FileDescriptorName= or the socket unit's name
/// (sd_listen_fds(3)) |
///
/// Host names other than `localhost` are refused: what they resolve to changes under a running server.
struct Address {
  enum class Kind { tcp, unix_path, unix_abstract, systemd };

  Kind kind = Kind::tcp;
  std::string host;        ///< tcp: a numeric address without brackets, or "localhost" (listens on 127.0.0.1)
  std::uint16_t port = 0;  ///< tcp; 0: the kernel chooses, and the choice is reported
  std::string name;        ///< the other kinds
  /// Of a unix_path's file, if said; a user that may write to it may connect (unix(7)).
  std::optional<unsigned> mode{};
  std::string user{};      ///< the owner of that, a name or a number; empty: not said
  std::string group{};

  /// The same place to listen on, whatever is said of the file.
  bool same_place(const Address& other) const {
    return kind == other.kind && host == other.host && port == other.port && name == other.name;
  }
  /// Whether both can be listened on at a time.
  Overlap overlap(const Address& other) const;
  /// The text that parse() reads back as an equal Address.
  std::string text() const;
  static Result<Address> parse(std::string_view text);
  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace serval
