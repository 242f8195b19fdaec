#pragma once

#include <boost/asio/io_context.hpp>

#include "http/session.hpp"
#include "net/deadlines.hpp"
#include "server/handler.hpp"
#include "server/observer.hpp"
#include "server/settings.hpp"

namespace serval::server {

/// What all connections and exchanges of a loop share. Loop only, but for `settings` and `farewell`.
struct Context {
  boost::asio::io_context& io;
  const Settings settings;
  http::Farewell& farewell;
  Handler& handler;
  Observer& observer;
  Migration& migration;
  net::Deadlines deadlines;
};

}  // namespace serval::server
