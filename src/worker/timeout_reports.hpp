#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <vector>

#include "base/time.hpp"
#include "ipc/reports.hpp"
#include "worker/exchange.hpp"

namespace serval::worker {

/// Tells the master of handlers that ran past their deadlines, each with the place where its thread is at that moment. Loop only.
class TimeoutReports {
 public:
  /// `tell`: hands a message to the master; false if there is none any more. What cannot be told is logged here, without the stack's names.
  TimeoutReports(boost::asio::io_context& io, std::function<bool(const ipc::Message&)> tell);

  /// Of an exchange whose handler runs; looks at its request and its thread. The report is on its way within kPatience.
  void add(const Exchange& exchange, TimePoint now);
  /// What still waits for an answer of its thread goes as it is.
  void flush();

 private:
  struct Pending {
    pid_t thread;
    TimePoint until;
    ipc::TimeoutReport report;
  };
  void collect(bool all);
  void send(const ipc::TimeoutReport& report);
  void arm();

  boost::asio::steady_timer timer_;
  std::function<bool(const ipc::Message&)> tell_;
  std::vector<Pending> pending_;
  bool armed_ = false;
};

}  // namespace serval::worker
