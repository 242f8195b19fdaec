#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <utility>

#include "os/wait.hpp"

namespace serval::master {

/// Reaps the master's children, and has the one table of what is to be done when which of them ends. One thread.
class Reaper {
 public:
  using OnExit = std::function<void(const os::ChildExit&)>;

  /// `on_stranger` hears of children that are not awaited: a subreaper (or PID 1) gets some that it never heard of.
  explicit Reaper(OnExit on_stranger) : on_stranger_(std::move(on_stranger)) {}
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  /// `on_exit` is called once, when this child has ended, unless forget() comes first. A child is awaited by one only.
  void await(pid_t pid, OnExit on_exit) { awaited_.insert_or_assign(pid, std::move(on_exit)); }
  /// Its end does not matter any more. Not awaited: no harm.
  void forget(pid_t pid) { awaited_.erase(pid); }

  /// All that have ended by now, since SIGCHLDs merge.
  void reap();
  /// Makes the call that this exit is for, which may await and forget others.
  void deliver(const os::ChildExit& exit);

 private:
  const OnExit on_stranger_;
  std::map<pid_t, OnExit> awaited_;
};

}  // namespace serval::master
