#pragma once

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>

namespace serval::server {
class Exchange;
}

namespace serval::worker {

/// Holds requests back while the server is paused (`serval pause`): what handlers have already is finished. Loop only,
/// but for held().
class PauseGate {
 public:
  struct Hooks {
    std::function<bool()> nothing_in_progress;  ///< no handler has a request, and no answer is on its way to the loop
    std::function<bool()> has_room;             ///< the pool would take another request
    std::function<void()> on_held;              ///< held() has changed
  };
  PauseGate(boost::asio::io_context& io, Hooks hooks) : io_(io), hooks_(std::move(hooks)) {}

  /// From now on nothing passes, until admit(). `quiet` is called once nothing is in progress, maybe at once, unless
  /// admit() comes before.
  void hold(std::function<void()> quiet);
  bool holds() const { return holds_; }
  /// A request that is to wait: Exchange::take_again() is called when its turn has come.
  void park(server::Exchange& exchange);
  /// In the order in which they came, as far as there is room: no request is refused for having been held.
  void admit();
  /// What the hooks say may be different from now on.
  void on_change();

  int held() const { return held_count_.load(std::memory_order_relaxed); }

 private:
  void admit_next();
  void count_held();

  boost::asio::io_context& io_;
  const Hooks hooks_;
  bool holds_ = false;
  bool admitting_ = false;  ///< the next one's turn is on its way through the loop
  std::deque<server::Exchange*> held_;
  std::atomic<int> held_count_{0};
  std::function<void()> quiet_;
};

}  // namespace serval::worker
