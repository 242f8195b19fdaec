#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

#include "base/time.hpp"
#include "scoreboard/memory.hpp"
#include "worker/crew.hpp"

namespace serval::worker {

/// A keep-alive connection belongs to the worker that has accepted it, and that one's threads may all be busy while those of a sibling idle. A
/// request that has waited for a thread here for some milliseconds moves there, its connection with it (ipc/lobby.hpp), if the scoreboard shows a
/// thread that is free. Costs nothing as long as no request waits. Loop only; outlives its operations.
class Balance {
 public:
  /// `threads`: that each worker has. `changed` is called when the crew's queue has become shorter. All borrowed.
  Balance(boost::asio::io_context& io, Crew& crew, const scoreboard::Memory& memory, int slot, int threads, std::function<void()> changed);

  /// Somebody may wait.
  void watch();

 private:
  void look_after(Duration patience);
  void look();
  bool hopeless(TimePoint now) const;
  bool move(int free);

  Crew& crew_;
  const scoreboard::Memory& memory_;
  const int slot_;
  const int threads_;
  const std::function<void()> changed_;
  boost::asio::steady_timer timer_;
  bool watching_ = false;
};

}  // namespace serval::worker
