#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "control/socket_location.hpp"
#include "control/server.hpp"
#include "master/handover.hpp"

namespace serval::master {

/// Where the control socket is, and that it stays there. One thread, that of the io_context, which outlives this.
class ControlSocket {
 public:
  /// Listens where control.socket says, and logs where that is. Throws StartupError (cannot_create) if a place that was
  /// named cannot be had, or if another serval listens there; without an automatic one the server gets along, with a
  /// warning.
  ControlSocket(boost::asio::io_context& io, const config::Config& config);
  /// Goes on with what an earlier version of serval in this process had open.
  ControlSocket(boost::asio::io_context& io, const config::Config& config, const ListenerRecord& record);

  /// Null: it is off, or was not to be had. Stays the same one.
  control::Server* server() const { return server_.get(); }

  /// Makes the socket file anew if it is gone or another one, where that can be had. For a reload.
  void look_after();
  /// The same, unless that was a moment ago.
  void look_after_if_due();

 private:
  Result<void> listen_at(const control::SocketLocation& place);
  Result<void> listen_somewhere();

  boost::asio::io_context& io_;
  unsigned mode_;
  std::vector<control::SocketLocation> places_;  ///< where the socket may be; none: it is off
  TimePoint next_look_ = Clock::now();  ///< at the socket file
  bool complained_ = false;             ///< that it cannot be had
  std::unique_ptr<control::Server> server_;
};

}  // namespace serval::master
