#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

#include "base/time.hpp"
#include "os/unique_fd.hpp"
#include "server/hub.hpp"
#include "worker/accounting.hpp"
#include "worker/descriptors.hpp"
#include "worker/placement/fleet_view.hpp"
#include "worker/placement/policy.hpp"
#include "worker/threads/handler_pool.hpp"

namespace serval::worker::placement {

/// What everything that takes connections in needs. All are borrowed.
struct Entrance {
  server::Hub& hub;
  HandlerPool& pool;
  FleetView& fleet;
  Descriptors& descriptors;
  Accounting& accounting;
  std::function<bool()> declines;  ///< a request would wait in vain here, or the app wants none
};

/// Takes connections from one queue that all workers share, a few at a time, when it is this worker's turn
/// (placement/policy.hpp). What the queue is, the derived class knows. Loop only; outlives its operations (destroyed
/// after the loop has ended).
class AcceptTurn {
 public:
  /// `queue`: a listening socket, or the lobby's exit; its own from here. `address`: as the log names it; `local`: of
  /// the unix family.
  AcceptTurn(const Entrance& entrance, UniqueFd queue, std::string address, bool local);
  virtual ~AcceptTurn() = default;

  void start() { wait(); }
  /// Leaves alone what waits in the queue, until release().
  void hold() { held_ = true; }
  void release();
  /// Takes what waits in the queue, still leaving it to less busy siblings, then closes this process's copy of it and
  /// calls `on_empty`; held, it closes it at once.
  void drain(std::function<void()> on_empty);
  /// Looks no more, whatever waits.
  void close();
  bool open() const { return watched_.is_open() || aside_; }

 protected:
  enum class Taken {
    one,
    none,
    failed,  ///< pause() goes on
  };
  virtual Taken take() = 0;
  virtual int batch() const = 0;  ///< connections that are taken in one turn
  /// What the sibling that should come has taken from this queue so far; 0: unknown.
  virtual std::uint64_t taken_by_sibling() const = 0;
  /// What waits is another worker's, if that comes.
  virtual bool is_for_others() const { return false; }

  bool connection_waits() const;
  void pause();  ///< for want of descriptors or memory

  const Entrance& entrance_;
  const int queue_;

 private:
  Accept decide() const;
  void wait();
  void step_aside();
  void come_back();
  void on_ready();
  void look_again(Accept when);
  void leave_to_others();
  void finish_drain();
  void take_turn();
  void post_ready();

  using Protocol = boost::asio::generic::stream_protocol;
  const std::string address_;
  const bool local_;
  boost::asio::basic_socket_acceptor<Protocol> watched_;
  boost::asio::steady_timer timer_;
  UniqueFd aside_;  ///< the queue, while it is not watched
  TimePoint last_complaint_{};
  Looks looks_;
  bool held_ = false;
  bool ready_ = false;              ///< a connection has waited since it is held
  std::function<void()> on_empty_;  ///< draining
};

/// The turn at a listener.
class ListenerTurn final : public AcceptTurn {
 public:
  using AcceptTurn::AcceptTurn;

 private:
  Taken take() override;
  int batch() const override { return 8; }
  std::uint64_t taken_by_sibling() const override { return entrance_.fleet.taken_by_first(); }
};

}  // namespace serval::worker::placement
