#pragma once

#include "worker/acceptor.hpp"

namespace serval::worker {

/// Takes connections out of the lobby as an Acceptor takes them from a listener.
class Arrivals final : public Acceptor {
 public:
  /// `exit`: of the lobby; closed by close() and drain().
  Arrivals(Service& service, UniqueFd exit);

 private:
  Taken take() override;
  bool comes_first() override { return !service_.crew.saturated(); }  ///< guests may have a request that waits for a thread
  bool has_room();
};

/// Somebody waits in the lobby.
bool anybody_inside(int exit);

}  // namespace serval::worker
