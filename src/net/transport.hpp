#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/output_queue.hpp"

namespace serval::net {

/// Bytes to and from one client. Never blocks: whoever has it waits for readiness of the descriptor elsewhere. One
/// virtual call for each system call. One thread at a time.
class Transport {
 public:
  enum class State {
    done,
    would_block,
    closed,  ///< the client has ended its direction
    failed,
  };
  struct Result {
    std::size_t bytes = 0;
    State state = State::done;
  };

  virtual ~Transport() = default;
  /// At most `size` bytes; `done` if there was at least one.
  virtual Result read(char* into, std::size_t size) = 0;
  /// As much as goes in one call; what went is consumed.
  virtual Result write(OutputQueue& from) = 0;
  /// Whether the client has ended one direction at least, looked at without reading: it has most often gone.
  virtual bool peer_has_closed() const = 0;
  /// Nothing more will be written.
  virtual void half_close() = 0;
  /// As in URLs: "http" or "https".
  virtual std::string_view scheme() const = 0;
};

/// The bytes as they are. `socket`: a connected, non-blocking stream socket, borrowed.
std::unique_ptr<Transport> plain_transport(int socket);

}  // namespace serval::net
