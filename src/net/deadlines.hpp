#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/deadline_wheel.hpp"

namespace serval::net {

/// All deadlines of a loop on one timer. Loop only; outlives what it is set for.
class Deadlines {
 public:
  explicit Deadlines(boost::asio::io_context& io) : wheel_(Clock::now()), timer_(io) {}

  /// Deadlined::on_deadline() is called once it has passed, up to DeadlineWheel::kTick late. max(): never.
  void set(Deadlined& entry, TimePoint deadline) {
    wheel_.set(entry, deadline);
    if (deadline < armed_) arm(deadline);
  }

 private:
  void arm(TimePoint at);
  void on_timer();

  DeadlineWheel wheel_;
  boost::asio::steady_timer timer_;
  TimePoint armed_ = TimePoint::max();
};

}  // namespace serval::net
