#pragma once

#include <optional>
#include <vector>

#include "base/result.hpp"
#include "ipc/messages.hpp"
#include "os/unique_fd.hpp"

namespace serval::ipc {

/// One end of a SOCK_SEQPACKET socket pair on which Messages travel, with descriptors (SCM_RIGHTS). Non-blocking, close-on-exec.
class Channel {
 public:
  Channel() = default;
  explicit Channel(UniqueFd fd) : fd_(std::move(fd)) {}
  static Result<std::pair<Channel, Channel>> pair();

  int fd() const { return fd_.get(); }
  UniqueFd take() { return std::move(fd_); }

  /// False if the peer is gone or its queue is full; never blocks, never raises SIGPIPE. The descriptors stay the caller's.
  bool send(const Message& message, const std::vector<int>& fds = {});

  struct Received {
    Message message;
    std::vector<UniqueFd> fds;
  };
  enum class State { received, empty, closed };
  /// One packet if there is one. `closed`: the peer is gone. A packet of the wrong size is skipped.
  State receive(Received& received);
  /// The same, waiting for a packet (the mold and a booting worker have nothing else to do).
  State receive_wait(Received& received);

 private:
  UniqueFd fd_;
};

}  // namespace serval::ipc
