#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "scoreboard/writer.hpp"
#include "worker/placement/fleet_view.hpp"
#include "worker/placement/policy.hpp"

namespace serval::worker::placement {

/// An overloaded loop gives some of its connections away, each when it has just been answered.
class LoadShedding {
 public:
  /// `connections`: open ones. All are borrowed.
  LoadShedding(scoreboard::WorkerBoard& board, const FleetView& fleet, std::function<int()> connections)
      : board_(board), fleet_(fleet), connections_(std::move(connections)) {}

  /// The load of the loop, a few times per second, on a thread that does not own the loop. `may_give`: there is a way
  /// to give connections away.
  void on_load(bool overloaded, bool may_give) {
    board_.set_strained(overloaded);
    if (overloaded && may_give) wanted_.store(true, std::memory_order_relaxed);
  }
  /// Loop only: gives_away() may say yes.
  bool active() const { return left_ > 0 || wanted_.load(std::memory_order_relaxed); }
  /// Loop only: a connection that has just been answered is to go.
  bool gives_away() {
    if (wanted_.load(std::memory_order_relaxed)) [[unlikely]] {
      wanted_.store(false, std::memory_order_relaxed);
      left_ = connections_to_give(connections_(), fleet_.others(Clock::now()), fleet_.cpus());
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  scoreboard::WorkerBoard& board_;
  const FleetView& fleet_;
  const std::function<int()> connections_;
  std::atomic<bool> wanted_{false};
  int left_ = 0;
};

}  // namespace serval::worker::placement
