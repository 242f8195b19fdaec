#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "admin/master_link.hpp"
#include "config/config.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/memory.hpp"
#include "scoreboard/reader.hpp"

namespace serval::admin {

/// Sends StatsD its lines over UDP, every ten seconds. Nobody waits for it, and what is lost is lost, as it is with
/// StatsD. One thread, that of the io_context.
class StatsdPush {
 public:
  StatsdPush(boost::asio::io_context& io, MasterLink& master, const scoreboard::Memory& scoreboard,
             const config::Admin& config);

 private:
  void again();
  void push(const Status& status);

  MasterLink& master_;
  const scoreboard::Memory& scoreboard_;
  const std::string prefix_;
  UniqueFd socket_;  ///< connected; none: it cannot be had, and the log has said so
  scoreboard::Totals before_;
  boost::asio::steady_timer timer_;
};

}  // namespace serval::admin
