#pragma once

#include "net/peer.hpp"
#include "os/unique_fd.hpp"

namespace serval::net {

/// What one look at a listener's queue has brought.
struct Accepted {
  enum class Kind {
    one,
    none,              ///< nobody waits, or nothing can be had from this listener any more
    out_of_resources,  ///< descriptors or memory; errno says which. accept(2) wants a descriptor before it looks:
                       ///< nobody need be waiting
  };
  Kind kind = Kind::none;
  UniqueFd connection;  ///< non-blocking, close-on-exec
  Peer peer;
};

/// Never blocks if the listener does not. Clients that have left again meanwhile are skipped.
Accepted accept_one(int listener);

/// Whether a connection waits in the queue, or something in any other descriptor that can be read.
bool connection_waits(int listener);

}  // namespace serval::net
