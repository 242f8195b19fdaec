#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.hpp"

/// The protocols of systemd that need no library: socket activation (sd_listen_fds(3)), notification (sd_notify(3)),
/// the watchdog (sd_watchdog_enabled(3)) and the store of descriptors (FileDescriptorStoreMax= in systemd.service(5)).
namespace serval::os {

/// The number from which on sockets are handed over (SD_LISTEN_FDS_START).
inline constexpr int kFirstPassedFd = 3;

struct NamedSocket {
  std::string name;  ///< of LISTEN_FDNAMES; "unknown" where it has none, as in sd_listen_fds_with_names(3)
  UniqueFd fd;       ///< close-on-exec
};

/// The sockets handed to this process, in order; empty if LISTEN_PID names another one. Unsets LISTEN_PID, LISTEN_FDS
/// and LISTEN_FDNAMES, so children do not take them for theirs. Owned by the caller from here on: a second call returns
/// nothing.
std::vector<NamedSocket> take_listen_fds();

/// Sends e.g. "READY=1\nSTATUS=serving" to $NOTIFY_SOCKET. False if there is none or it could not be sent; never
/// blocks.
bool notify(std::string_view state);

/// Whether there is a $NOTIFY_SOCKET that notify() could send to.
bool has_notify_socket();

/// How often "WATCHDOG=1" is expected at least ($WATCHDOG_USEC); 0: not at all, or of another process ($WATCHDOG_PID).
/// An exec in place keeps the pid, and so the duty.
std::chrono::microseconds watchdog_interval();

/// How many descriptors the service manager would keep for us ($FDSTORE); 0: none. systemd sets it since 254; a unit
/// for an older one says Environment=FDSTORE=N beside its FileDescriptorStoreMax=N.
int fd_store_size();

/// Gives the service manager a copy of `fd`, which comes back among take_listen_fds() when the service is started
/// again, however it ended. One that it has already stays as it is. False if it could not be sent; whether it was kept
/// is not known.
bool store_fd(const std::string& name, int fd);
/// Takes it back: the service manager closes its copies.
bool forget_fd(const std::string& name);
/// `text` with all that a name in the store must not have as %XX: colons, control bytes, what is not ASCII; and the
/// percent sign.
std::string fd_name(std::string_view text);

/// What is said to the main process of the service is not for its children: unsets the variables of all these
/// protocols.
void forget_service_manager();

}  // namespace serval::os
