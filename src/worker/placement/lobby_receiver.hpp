#pragma once

#include "worker/flood_line.hpp"
#include "worker/placement/accept_turn.hpp"

namespace serval::worker::placement {

/// Takes connections that other workers have begun to serve out of the lobby, as a ListenerTurn takes new ones from a
/// listener.
class LobbyReceiver final : public AcceptTurn {
 public:
  /// `exit`: of the lobby; closed by close() and drain().
  LobbyReceiver(const Entrance& entrance, UniqueFd exit);
  /// The worker ends: what is unsaid yet.
  void finish() { strays_.finish(); }

 private:
  Taken take() override;
  int batch() const override { return 1; }
  std::uint64_t taken_by_sibling() const override { return 0; }  ///< they are not counted
  bool is_for_others() const override;
  bool has_room();

  FloodLine strays_;
};

}  // namespace serval::worker::placement
