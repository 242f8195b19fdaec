#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>

#include "base/time.hpp"
#include "supervisor/actions.hpp"

namespace serval::master {

/// What programs that have ended have started and left behind: told to end, killed at a deadline, and looked for until
/// nothing is left. In rounds, since what is killed may have started more. One thread, that of the io_context.
class Leftovers {
 public:
  /// `on_cleared`: nothing is left of the one that had this pid. It may call perform().
  using OnCleared = std::function<void(int id, pid_t leader)>;
  Leftovers(boost::asio::io_context& io, OnCleared on_cleared) : timer_(io), on_cleared_(std::move(on_cleared)) {}
  Leftovers(const Leftovers&) = delete;
  Leftovers& operator=(const Leftovers&) = delete;

  void perform(const supervisor::EndLeftovers& action);
  /// Nothing is told from here on.
  void give_up();

 private:
  struct Job {
    pid_t leader = 0;
    TimePoint deadline{};
    bool told = false;
  };
  void again();
  void make_round();
  /// False: nothing is left.
  static bool press(Job& job);

  boost::asio::steady_timer timer_;
  const OnCleared on_cleared_;
  std::map<int, Job> jobs_;  ///< by the instance's id
};

}  // namespace serval::master
