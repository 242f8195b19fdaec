#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include <string_view>

#include "http/session.hpp"
#include "net/peer.hpp"
#include "os/unique_fd.hpp"
#include "server/connection.hpp"
#include "server/context.hpp"
#include "server/exchange.hpp"

namespace serval::server {

/// All connections of a loop, and what they share. Loop only, but for `settings` and `farewell`.
/// Life time: made before the first connection, destroyed after the last operation. The process has
/// called http::reseed_request_ids() by then.
class Hub final : public Context, private ConnectionOwner {
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

  using Connections =
      boost::intrusive::list<Connection,
                             boost::intrusive::member_hook<Connection, Connection::ListHook, &Connection::list_hook>>;
  Connections& connections() { return connections_; }

  /// Serves a client from its first byte on. `fd`: a connected, non-blocking stream socket.
  void serve(UniqueFd fd, net::Peer peer);
  /// Goes on with one that has a history, of which `unread` has been read.
  void serve(UniqueFd fd, net::Peer peer, const http::History& history, std::string_view unread);
  /// `farewell` has changed: connections hear of it. Those that are idle may be gone afterwards.
  void say_farewell();

 private:
  void remove(Connection& connection) override;

  ExchangePool exchanges_;
  Connections connections_;
};

}  // namespace serval::server
