#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "ipc/heritage.hpp"
#include "worker/own_fds.hpp"
#include "worker/placement/accept_turn.hpp"
#include "worker/placement/lobby_receiver.hpp"

namespace serval::worker {

/// All the queues that connections come from: the listeners, and the lobby. Loop only; destroyed after the loop has
/// ended.
class Intake {
 public:
  /// All are borrowed.
  Intake(placement::Entrance entrance, const ipc::Heritage& heritage, OwnFds& own_fds)
      : entrance_(std::move(entrance)), heritage_(heritage), own_fds_(own_fds) {}

  /// Opens the queues and takes from them.
  void start();
  bool started() const { return !listeners_.empty(); }
  /// Leaves alone what waits in the listeners' queues, until release().
  void hold();
  void release();
  /// Takes what waits, then closes the queues, and calls `on_closed` once the last one is. What is in the lobby is left
  /// to those that take over, if any.
  void drain(bool others_take_over, std::function<void()> on_closed);
  /// It drained, and nobody takes over after all: what is in the lobby, ours or not, is for those that still live.
  void drain_lobby();
  /// A connection may still come.
  bool still_accepting() const { return open_ > 0; }
  /// Something waits in the lobby.
  bool connection_in_lobby() const;
  /// The worker ends: what is unsaid yet.
  void finish();

 private:
  placement::LobbyReceiver* look_into_lobby();
  void close_one();

  const placement::Entrance entrance_;
  const ipc::Heritage& heritage_;
  OwnFds& own_fds_;
  std::deque<placement::ListenerTurn> listeners_;
  std::deque<placement::LobbyReceiver> receivers_;  ///< a second one if a drain becomes a stop
  std::size_t open_ = 0;
  std::function<void()> on_closed_;
};

}  // namespace serval::worker
