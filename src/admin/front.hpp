#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <vector>

#include "ipc/heritage.hpp"
#include "server/hub.hpp"

namespace serval::admin {

/// Takes connections from the listeners, a bounded number at a time: where there are too many, those that are idle make
/// room, the oldest first. One thread, that of the io_context, which outlives this.
class Front {
 public:
  Front(boost::asio::io_context& io, server::Hub& hub) : io_(io), hub_(hub) {}

  void start(const std::vector<ipc::Listener>& listeners);
  /// No more new ones.
  void stop();
  /// One has gone.
  void on_room();

 private:
  struct Door {
    boost::asio::posix::stream_descriptor descriptor;
    bool waiting = false;
  };
  void listen(Door& door);
  void accept(Door& door);
  bool has_room();

  boost::asio::io_context& io_;
  server::Hub& hub_;
  std::deque<Door> doors_;
};

}  // namespace serval::admin
