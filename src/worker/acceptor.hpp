#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

#include "ipc/heritage.hpp"
#include "worker/service.hpp"

namespace serval::worker {

/// Takes connections from one listener that all workers share. A worker takes a few at a time, and when it is saturated or has no duty
/// (worker/duty.hpp) it waits a moment first, so that a sibling gets the connection. Loop only; outlives its operations (destroyed after the loop has ended).
class Acceptor {
 public:
  /// The descriptor is its own from here.
  Acceptor(Service& service, ipc::Listener listener);
  virtual ~Acceptor() = default;

  void start();
  /// Leaves alone what waits in the queue, until release().
  void hold() { held_ = true; }
  void release();
  /// Takes what waits in the queue, still leaving it to less busy siblings, then closes this process's copy of the listener and calls `on_empty`;
  /// held, it closes it at once.
  void drain(std::function<void()> on_empty);
  /// Looks no more, whoever waits.
  void close();
  bool open() const { return acceptor_.is_open() || aside_; }

 protected:
  enum class Taken {
    one,
    none,
    failed,  ///< pause() goes on
  };
  virtual Taken take();
  virtual int most_at_once() const { return 8; }
  virtual std::uint64_t done_by_sibling() const { return service_.duty.done_by_sibling(); }
  /// No descriptor is left for somebody who waits; true: there is one again.
  bool make_room();
  bool somebody_waits() const;
  void pause();  ///< for want of descriptors or memory

  Service& service_;
  const ipc::Listener listener_;

 private:
  bool comes_first();
  void wait();
  void step_aside();
  void come_back();
  void on_ready();
  void leave_to_others();
  void finish_drain();
  void take_turn();
  void post_ready();

  using Protocol = boost::asio::generic::stream_protocol;
  boost::asio::basic_socket_acceptor<Protocol> acceptor_;
  boost::asio::steady_timer timer_;
  UniqueFd aside_;  ///< the listener, while it is not watched
  TimePoint last_complaint_{};
  bool held_ = false;
  bool ready_ = false;     ///< somebody waits since it is held
  std::uint64_t done_before_ = 0;
  int looks_ = 0;          ///< at a queue that was not empty, while siblings come first
  std::function<void()> on_empty_;  ///< draining
};

}  // namespace serval::worker
