#pragma once

#include <functional>

#include "base/time.hpp"
#include "ipc/messages.hpp"
#include "worker/handler_call.hpp"
#include "worker/thread_stacks.hpp"

namespace serval::worker {

/// Tells the master of handlers that ran past their deadlines, each with the place where its thread is at that moment.
/// Loop only.
class TimeoutReports {
 public:
  /// `tell`: hands a message to the master; false if there is none any more. What cannot be told is logged here,
  /// without the stack's names.
  TimeoutReports(ThreadStacks& stacks, std::function<bool(const ipc::FromWorker&)> tell)
      : stacks_(stacks), tell_(std::move(tell)) {}

  /// Looks at the call's request and its thread. The report is on its way as soon as the thread has answered.
  void add(const HandlerCall& call, TimePoint now);
  /// One that has been reported has not returned in time after it was told so: its thread cannot be reclaimed.
  void does_not_return();

 private:
  void send(const ipc::TimeoutReport& report);

  ThreadStacks& stacks_;
  std::function<bool(const ipc::FromWorker&)> tell_;
};

}  // namespace serval::worker
