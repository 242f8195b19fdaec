#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>

#include "base/flood.hpp"

namespace serval::worker {

/// A log line of which a client, an app or a full disk could cause any number: at most one in Flood::kPause, with the
/// sum. Loop only.
class FloodLine {
 public:
  /// False: the line is lost, as the log is on a full disk itself. The sum is told later then.
  using Say = std::function<bool(std::uint64_t count)>;
  FloodLine(boost::asio::io_context& io, Say say) : timer_(io), say_(std::move(say)) {}

  void add(std::uint64_t count = 1);
  /// What is unsaid yet: the worker ends.
  void finish();

 private:
  void say(std::uint64_t count);
  void arm();

  Flood flood_;
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  Say say_;
};

}  // namespace serval::worker
