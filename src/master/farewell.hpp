#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>

#include "master/stack_names.hpp"

namespace serval::master {

/// What the master still does when the supervisor has finished: it waits for the names of the last stacks, ends what
/// the app has left behind, and stops the loop.
class Farewell {
 public:
  /// `reap` takes note of all children that have ended.
  Farewell(boost::asio::io_context& io, StackNames& stacks, std::function<void()> reap);

  void begin(int exit_code);
  bool begun() const { return exit_code_.has_value(); }
  int exit_code() const { return exit_code_.value_or(0); }

 private:
  void await_stacks();
  void end_leftovers();
  void again(void (Farewell::*step)());

  boost::asio::io_context& io_;
  StackNames& stacks_;
  const std::function<void()> reap_;
  boost::asio::steady_timer timer_;
  std::optional<int> exit_code_;
  int stack_rounds_ = 0;
  int quiet_rounds_ = 0;
  int leftover_rounds_ = 0;
};

}  // namespace serval::master
