#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

#include "base/time.hpp"
#include "worker/placement/fleet_view.hpp"
#include "worker/placement/lobby_sender.hpp"
#include "worker/placement/policy.hpp"
#include "worker/threads/handler_pool.hpp"

namespace serval::worker::placement {

/// A keep-alive connection belongs to the worker that has accepted it, and that one's threads may all be busy while
/// those of a sibling idle. A request that has waited for a thread here for some milliseconds moves there, its
/// connection with it, if the scoreboard shows a thread that is free. Costs nothing as long as no request waits. Loop
/// only; outlives its operations.
class Rebalancer {
 public:
  /// `on_moved`: the pool's queue has become shorter. All are borrowed.
  Rebalancer(boost::asio::io_context& io, HandlerPool& pool, const FleetView& fleet, LobbySender& lobby,
             std::function<void()> on_moved)
      : pool_(pool), fleet_(fleet), lobby_(lobby), on_moved_(std::move(on_moved)), timer_(io) {}

  /// Requests may wait.
  void watch();

 private:
  void look_after(std::chrono::milliseconds time);
  void look();
  OwnThreads own_threads(TimePoint now) const;
  bool move(int free);

  HandlerPool& pool_;
  const FleetView& fleet_;
  LobbySender& lobby_;
  const std::function<void()> on_moved_;
  boost::asio::steady_timer timer_;
  bool watching_ = false;
};

}  // namespace serval::worker::placement
