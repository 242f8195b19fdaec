#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "http/session.hpp"
#include "net/deadlines.hpp"
#include "net/peer.hpp"
#include "os/unique_fd.hpp"
#include "server/connection.hpp"
#include "server/handler.hpp"
#include "server/observer.hpp"
#include "server/settings.hpp"

namespace serval::server {

/// What all connections of a loop share, and the list of them. Loop only, but for `settings` and `farewell`.
/// Life time: made before the first connection, destroyed after the last operation. The process has called http::reseed_request_ids() by then.
class Hub {
 public:
  /// What the loop is to be told and asked. All are borrowed.
  struct Roles {
    http::Farewell& farewell;
    Handler& handler;
    Observer& observer;
    Migration& migration;
  };
  Hub(boost::asio::io_context& io, Settings settings, const Roles& roles);
  ~Hub();

  boost::asio::io_context& io;
  const Settings settings;
  http::Farewell& farewell;
  Handler& handler;
  Observer& observer;
  Migration& migration;
  net::Deadlines deadlines;

  using Connections = boost::intrusive::list<Connection, boost::intrusive::member_hook<Connection, Connection::ListHook, &Connection::list_hook>>;
  Connections& connections() { return connections_; }

  /// Serves a client from its first byte on. `fd`: a connected, non-blocking stream socket.
  void serve(UniqueFd fd, net::Peer peer);
  /// Goes on with one that has a history, of which `unread` has been read.
  void serve(UniqueFd fd, net::Peer peer, const http::History& history, std::string_view unread);
  /// `farewell` has changed: connections hear of it. Those that are idle may be gone afterwards.
  void say_farewell();

  /// Of HTTP/1, which is all that is spoken yet.
  std::unique_ptr<http::Session> make_session(http::Streams& streams, const http::History& history, std::string_view unread) const;
  std::unique_ptr<Exchange> lend();
  void take_back(std::unique_ptr<Exchange> exchange);
  /// The connection is closed, and no operation is under way.
  void remove(Connection& connection);

 private:
  Connections connections_;
  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace serval::server
