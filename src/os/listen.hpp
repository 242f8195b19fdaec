#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/address.hpp"
#include "base/result.hpp"
#include "os/socket_path.hpp"
#include "os/unique_fd.hpp"

/// Listening sockets. Opened once by the master and inherited by all processes, so the kernel's accept queue outlives
/// every worker.
namespace serval::os {

struct Listening {
  UniqueFd fd;
  /// As reported: with the port that the kernel chose; "127.0.0.1:8000", "[::1]:8000", "unix:/x", "unix:@x".
  std::string address;
  bool local = false;       ///< a unix socket
  std::string socket_file;  ///< the file that remove_socket_file takes away at the end; empty: none, or not ours
  dev_t file_device = 0;    ///< which file that is, so that one that another process has put in its place stays
  ino_t file_inode = 0;
};

/// Binds and listens: close-on-exec, non-blocking, SO_REUSEADDR; [::] also takes IPv4 (IPV6_V6ONLY off, ipv6(7)) unless
/// `only_v6`. A socket file on which no process listens any more (connect says ECONNREFUSED) is replaced. A live one,
/// and a path that is no socket, are errors and stay as they are. The file has its mode and its owner before a client
/// can connect, whatever the umask, which is changed for a moment: the process has one thread then.
/// Address::Kind::systemd is an error: adopt() what take_listen_fds() gave.
Result<Listening> listen_on(const Address& address, int backlog, const FileAccess& access = {}, bool only_v6 = false);

/// Whether the address is one that could be bound here, without listening there and whatever its port; tcp only.
Result<void> bind_and_leave(const Address& address);

/// A listening stream socket that another process opened (systemd); made non-blocking and close-on-exec. `name` is for
/// the error's text.
Result<Listening> adopt(UniqueFd fd, const std::string& name);

/// Whether [::] takes IPv4 connections as well (IPV6_V6ONLY is off): that cannot change once it is bound (ipv6(7)).
bool takes_ipv4(int fd);

struct AcceptQueue {
  unsigned waiting = 0;  ///< connections that nobody has accepted yet
  unsigned limit = 0;    ///< that may wait; when there are more, new ones are dropped
};
/// tcp only: none for other sockets (tcp(7), TCP_INFO of a socket that listens: tcpi_unacked, tcpi_sacked).
std::optional<AcceptQueue> accept_queue(int listen_fd);

/// What getsockname(2) says, in the form of Listening::address; empty if that cannot be a listener's.
std::string bound_address(int fd);

/// From here on the file at `path` is the one that remove_socket_file() takes away; nothing changes if there is no such
/// socket.
void own_socket_file(Listening& listening, const std::string& path);

/// False if the socket file is gone or another one: no client can connect any more. True where there is none to lose.
bool socket_file_is_there(const Listening& listening);

/// Removes the socket file if it is still the one that `listening` was bound to.
void remove_socket_file(const Listening& listening);

/// From here on no new connection gets into the accept queue, in whichever process the listener is shared; what is
/// already in the queue or in the middle of its handshake can still be accepted, and behaves as ever. Cannot be undone.
/// - unix: shutdown(SHUT_RD): connect fails with ECONNREFUSED. accept says EAGAIN once the queue is empty, as ever, but
///   from then on poll and epoll go on calling the listener readable: stop watching it then, or a level-triggered loop
///   spins.
/// - tcp: a packet filter (socket(7), SO_ATTACH_FILTER) drops SYNs, and only those: connect gets no answer until the
///   listener is closed and then, with its next try after a second, ECONNREFUSED. Accepted sockets inherit the filter,
///   but never need a SYN. Kernels that want CAP_NET_ADMIN for a filter (EPERM) make room for one at a time instead: a
///   connect that finds one in the queue gets no answer, as above, and one that finds it empty is accepted by the
///   process that empties it, or reset if none does any more.
Result<void> refuse_new_connections(int listen_fd);

}  // namespace serval::os
