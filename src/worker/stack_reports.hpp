#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>

#include "ipc/messages.hpp"
#include "worker/thread_stacks.hpp"

namespace serval::worker {

/// Tells the master where each thread of this worker is, when it asks. Loop only.
class StackReports {
 public:
  /// `tell`: hands a message to the master; false if it does not take one now.
  StackReports(boost::asio::io_context& io, ThreadStacks& stacks, std::function<bool(const ipc::FromWorker&)> tell)
      : stacks_(stacks), tell_(std::move(tell)), timer_(io) {}

  /// A report for each enlisted thread, then the end mark; `question` is the master's number for it.
  void answer(std::uint32_t question);

 private:
  void add(std::uint32_t question, const stack::Frames& frames, pid_t loop);
  void send_some();

  ThreadStacks& stacks_;
  std::function<bool(const ipc::FromWorker&)> tell_;
  boost::asio::steady_timer timer_;
  std::deque<ipc::FromWorker> queue_;
  bool armed_ = false;
  int refused_ = 0;  ///< times in a row that the master did not take one
};

}  // namespace serval::worker
