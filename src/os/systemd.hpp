#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.hpp"

/// The two protocols of systemd that need no library: socket activation (sd_listen_fds(3)) and notification (sd_notify(3)).
namespace serval::os {

struct NamedSocket {
  std::string name;  ///< of LISTEN_FDNAMES; "unknown" where it has none, as in sd_listen_fds_with_names(3)
  UniqueFd fd;       ///< close-on-exec
};

/// The sockets handed to this process, in order; empty if LISTEN_PID names another one. Unsets LISTEN_PID, LISTEN_FDS and
/// LISTEN_FDNAMES, so children do not take them for theirs. Owned by the caller from here on: a second call returns nothing.
std::vector<NamedSocket> take_listen_fds();

/// Sends e.g. "READY=1\nSTATUS=serving" to $NOTIFY_SOCKET. False if there is none or it could not be sent; never blocks.
bool notify(std::string_view state);

}  // namespace serval::os
