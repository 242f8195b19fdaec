#pragma once

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <string>

#include "base/time.hpp"
#include "os/unique_fd.hpp"
#include "server/hub.hpp"
#include "worker/flood_line.hpp"

namespace serval::worker {

/// Keeps descriptors free: for the app, and for clients that wait to be accepted (room.hpp has the figures). Loop only.
class Descriptors {
 public:
  /// `on_starved`: for a while no client could be accepted, and nothing will change that; called once.
  Descriptors(boost::asio::io_context& io, server::Hub& hub, std::function<void(const std::string& why)> on_starved);

  /// A connection that has got this descriptor, or a higher one, leaves too few to the app.
  bool crowded(int fd) const { return fd >= crowded_from_; }
  /// Requests that a pause may hold here, each with its connection, before new connections are left to wait.
  int max_held() const { return crowded_from_ / 2; }
  /// Closes connections that wait for a request, those first that have done so for the longest. Returns how many.
  std::size_t close_idle();
  /// A client waits to be accepted and no descriptor is left. True: there is one again.
  bool make_room();
  /// A connection was accepted.
  void on_accepted() { starving_since_ = TimePoint::max(); }
  /// A connection is closed: the reserve is filled again.
  void on_closed();
  /// The worker ends: what is unsaid yet.
  void finish() { closed_for_room_.finish(); }

 private:
  bool use_reserve();
  void starve();

  server::Hub& hub_;
  const std::function<void(const std::string&)> on_starved_;
  const int limit_;  ///< RLIMIT_NOFILE
  const int crowded_from_;
  UniqueFd reserve_;  ///< what a drain can do with
  TimePoint starving_since_ = TimePoint::max();
  bool told_starved_ = false;
  FloodLine closed_for_room_;
};

}  // namespace serval::worker
