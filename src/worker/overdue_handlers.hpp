#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

#include "worker/last_chances.hpp"
#include "worker/timeout_reports.hpp"

namespace serval::worker {

/// Handlers that have run past their deadlines, each of which has a second to return: the master hears of them, and of
/// those that do not. Loop only.
class OverdueHandlers {
 public:
  /// `on_stuck`: another one has become stuck.
  OverdueHandlers(boost::asio::io_context& io, TimeoutReports reports, std::function<void()> on_stuck)
      : reports_(std::move(reports)), on_stuck_(std::move(on_stuck)), timer_(io) {}

  void add(const HandlerCall& call, TimePoint now);
  /// In time or not; nothing happens if it was never added.
  void returned(const HandlerCall& call) { chances_.returned(&call); }

  /// That have not returned, and those of them that had their second.
  int told() const { return chances_.told(); }
  int stuck() const { return chances_.stuck(); }

 private:
  void arm();
  void on_time();

  TimeoutReports reports_;
  const std::function<void()> on_stuck_;
  LastChances chances_;
  boost::asio::steady_timer timer_;
};

}  // namespace serval::worker
