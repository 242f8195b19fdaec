#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "base/time.hpp"
#include "config/config.hpp"
#include "control/server.hpp"
#include "scoreboard/memory.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::master {

/// The master's control socket and what each command does. One thread, that of the io_context.
class Control {
 public:
  /// Listens where control.socket says, and logs where that is. Throws StartupError (cannot_create) if a place that was named cannot be had;
  /// without the automatic one the server gets along, with a warning. Borrows all four.
  Control(boost::asio::io_context& io, const config::Config& config, const supervisor::Supervisor& supervisor, const scoreboard::Memory& scoreboard);

 private:
  void status(const control::Responder& responder) const;

  const config::Config& config_;
  const supervisor::Supervisor& supervisor_;
  const scoreboard::Memory& scoreboard_;
  TimePoint begun_ = Clock::now();
  std::unique_ptr<control::Server> server_;  ///< none: off, or not to be had
};

}  // namespace serval::master
