#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "ipc/packet.hpp"
#include "os/unique_fd.hpp"

namespace serval::ipc {

/// Between the master and one process that runs the app: the mold, or a worker. The two directions are not alike, since
/// the master believes no other process:
///
/// - What the master says goes over a SOCK_SEQPACKET socket, with descriptors (SCM_RIGHTS). The way back through it is
///   shut.
/// - What the master is told comes through a pipe in packet mode (pipe(2), O_DIRECT). A pipe carries no descriptors:
///   with a socket the kernel would have to close, in the master, whatever the app put into a message, and a close may
///   take as long as the app likes (socket(7), SO_LINGER).
///
/// All ends are non-blocking and close-on-exec.
class Channel {
 public:
  /// Which end of it this is. The master's sends through the socket, the other through the pipe.
  enum class End { master, app };

  Channel() = default;
  /// `in`: what is received from, `out`: what is sent to; as numbered by in_fd() and out_fd() of the process that had
  /// them before.
  Channel(End end, UniqueFd in, UniqueFd out) : end_(end), in_(std::move(in)), out_(std::move(out)) {}
  /// The master's end, and the app's.
  static Result<std::pair<Channel, Channel>> pair();

  int in_fd() const { return in_.get(); }
  int out_fd() const { return out_.get(); }
  bool open() const { return in_.get() >= 0; }
  void close();

  /// False if the peer is gone, or has not read for a while; never blocks. The master's end never raises SIGPIPE; the
  /// app's end does when the master is gone, unless that is ignored. `fds` stay the caller's; the app's end sends none.
  /// Async-signal-safe at the app's end.
  bool send(const Packet& packet, const std::vector<int>& fds = {});

  struct Received {
    Packet packet;
    std::vector<UniqueFd> fds;  ///< never any at the master's end
  };
  enum class State {
    received,
    empty,
    closed,     ///< the peer is gone
    malformed,  ///< a packet of the wrong size: it is gone, `received` says nothing
  };
  /// One packet, if there is one.
  State receive(Received& received);

 private:
  State receive_from_socket(Received& received);
  State receive_from_pipe(Received& received);

  End end_ = End::master;
  UniqueFd in_;
  UniqueFd out_;
};

}  // namespace serval::ipc
