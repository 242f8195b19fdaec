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
  int most_at_once() const override { return 1; }
  std::uint64_t done_by_sibling() const override { return 0; }  ///< nobody counts them
  bool has_room();
};

/// Somebody waits in the lobby.
bool anybody_inside(int exit);

}  // namespace serval::worker
