#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "os/fd_watch.hpp"

namespace serval::worker {

/// The descriptors that a worker lives by, which the app that it runs may close or replace: they are looked at when
/// handlers have ended, and now and then. Thread-safe.
class OwnFds {
 public:
  /// `on_lost` is called once, by whichever thread has looked, with the name of what is lost; the log has a line by
  /// then. Not for the event loop: without it nothing can be done in good order, and the process ends there and then,
  /// with exit_code::unfit.
  explicit OwnFds(std::function<void(const std::string& which)> on_lost) : on_lost_(std::move(on_lost)) {}

  static constexpr const char* kChannel = "channel to the master";
  static constexpr const char* kEventLoop = "event loop";

  os::FdWatch watch;  ///< until the drain, in which they are closed one after another
  os::FdWatch loop;   ///< until the event loop has done its work

  /// What is not what it was, the event loop first.
  std::optional<os::FdWatch::Lost> lost() const;
  void look();
  /// Only at the event loop.
  void look_at_loop();
  /// At most once a second.
  void look_now_and_then();

 private:
  const std::function<void(const std::string&)> on_lost_;
  std::atomic<Clock::rep> looked_{0};
  std::atomic<bool> said_{false};
};

}  // namespace serval::worker
