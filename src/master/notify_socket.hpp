#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

/// The master's end of sd_notify(3): one socket for each instance of a program, so that one that floods its own delays
/// no other.
namespace serval::master {

struct NotifySocket {
  UniqueFd fd;
  std::string address;  ///< for NOTIFY_SOCKET: abstract (unix(7)), with an '@'

  /// The kernel chooses the address.
  static Result<NotifySocket> open();
};

/// What a datagram says, of all that may be said, that serval has a use for.
struct Notification {
  bool ready = false;
  std::string status{};  ///< empty: nothing of it
};
/// Lines "KEY=VALUE", as sd_notify(3) has them. The status is cut, and may hold any byte. Pure.
Notification parse_notification(std::string_view datagram);

/// The next one that a process of the session `leader` has sent, or one that has ended by now and was of its user, as
/// systemd-notify(1) in a script; others are thrown away. None: nothing waits. Never
/// waits itself.
std::optional<Notification> receive_notification(int fd, pid_t leader);

}  // namespace serval::master
