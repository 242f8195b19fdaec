#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

/// The lobby: a SOCK_SEQPACKET socket pair through which connections move from a worker that drains to one that serves,
/// or from one whose threads are all busy to one that has one free. The master makes it, holds both ends as long as it
/// lives, and never reads it; so what waits in there outlives every worker. It is never shut down (shutdown(2)): that
/// works on all holders.
///
/// What is taken out is treated as coming from outside.
namespace serval::ipc {

/// What goes with the connection's descriptor. Workers of different versions may meet in the lobby: the layout stays,
/// new fields take from `reserved`.
struct Guest {
  static constexpr std::uint32_t kMagic = 0x53564c31;  // "SVL1"

  std::uint32_t magic = kMagic;
  std::uint32_t requests = 0;         ///< answered so far
  std::int64_t accepted_ns = 0;       ///< on the monotonic clock
  std::int64_t last_activity_ns = 0;  ///< likewise: the last byte read, or the end of the last answer
  std::uint16_t port = 0;             ///< of the peer
  std::uint8_t untouched = 0;         ///< 1: nothing has been read, so a PROXY prefix may be still to come
  std::uint8_t reserved1 = 0;
  std::uint32_t leaves = 0;  ///< the generation whose workers are not to take it, while two are compared; 0: all may
  std::uint8_t reserved[32] = {};
  char peer[64] = {};  ///< its address as the app is told (net/peer.hpp), terminated: an IP address or "unix"
};
static_assert(sizeof(Guest) == 128 && std::is_trivially_copyable_v<Guest>);

/// Its two ends, non-blocking and close-on-exec.
struct Lobby {
  UniqueFd entry;
  UniqueFd exit;
};
Result<Lobby> make_lobby();

/// A larger request stays where it has begun: the lobby has room for some hundred KiB (net.core.wmem_default,
/// socket(7)).
inline constexpr std::size_t kMaxUnreadBytes = 32 * 1024;

/// Never blocks, never raises SIGPIPE. `connection` stays the caller's, which closes it, and must not shut it down,
/// once it is `sent`. `unread`: what has been read of it and is to be served, kMaxUnreadBytes at most.
enum class Sent {
  sent,
  full,    ///< worth another try in a moment
  failed,  ///< there is no way into this lobby
};
Sent send_guest(int entry, const Guest& guest, int connection, std::string_view unread = {});

struct Arrival {
  Guest guest;
  UniqueFd connection;  ///< a connected stream socket of an internet or unix family; close-on-exec
  std::string unread;
};
enum class Arrived {
  arrived,
  none,
  dropped,  ///< what was there is no connection, and is gone
  closed,   ///< the lobby has been shut down: nothing will ever come
};
Arrived receive_guest(int exit, Arrival& arrival);
/// Guest::leaves of the one that comes next, which stays where it is; 0 as well if none waits, or none that is sound.
std::uint32_t leaves_of_next(int exit);

}  // namespace serval::ipc
