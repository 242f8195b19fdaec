#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <vector>

#include "base/time.hpp"
#include "stack/capture.hpp"

namespace serval::worker {

/// Asks threads of this worker where they are, for whoever wants to know; several may ask for the same thread. Loop
/// only.
class ThreadStacks {
 public:
  /// None (a count of 0) if the thread does not answer within kPatience, or cannot be asked.
  using Done = std::function<void(const stack::Frames& frames)>;

  explicit ThreadStacks(boost::asio::io_context& io) : timer_(io) {}

  /// `done` is called once; at once if the thread cannot be asked. It may ask again.
  void ask(pid_t thread, Done done);
  /// What still waits for an answer of its thread is told what there is.
  void flush() { collect(true); }

 private:
  struct Pending {
    pid_t thread;
    TimePoint until;
    Done done;
  };
  void collect(bool all);
  void arm();

  boost::asio::steady_timer timer_;
  std::vector<Pending> pending_;
  bool armed_ = false;
};

}  // namespace serval::worker
