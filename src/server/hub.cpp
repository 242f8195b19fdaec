#include "server/hub.hpp"

#include <boost/asio/post.hpp>

#include <memory>
#include <utility>

namespace serval::server {

Hub::Hub(boost::asio::io_context& loop, Settings values, const Roles& roles)
    : Context{.io = loop,
              .settings = std::move(values),
              .farewell = roles.farewell,
              .handler = roles.handler,
              .observer = roles.observer,
              .migration = roles.migration,
              .deadlines = net::Deadlines(loop)},
      exchanges_(*this) {}

Hub::~Hub() {
  connections_.clear_and_dispose([](Connection* connection) { delete connection; });
}

void Hub::serve(UniqueFd fd, net::Peer peer) {
  const TimePoint now = Clock::now();
  serve(std::move(fd), std::move(peer), {.accepted = now, .last_activity = now}, {});
}

void Hub::serve(UniqueFd fd, net::Peer peer, const http::History& history, std::string_view unread) {
  const Connection::Surroundings surroundings{*this, exchanges_, *this};
  auto connection = std::make_unique<Connection>(surroundings, std::move(fd), std::move(peer), history, unread);
  connections_.push_back(*connection);
  observer.on_connections(connections_.size());
  connection.release()->start();  // owned by the list from here
}

void Hub::say_farewell() {
  for (auto at = connections_.begin(); at != connections_.end();) (at++)->on_farewell();  // may remove itself
}

void Hub::remove(Connection& connection) {
  connections_.erase(connections_.iterator_to(connection));
  observer.on_connections(connections_.size());
  // Its own functions are still on the stack.
  boost::asio::post(io, [this, gone = std::unique_ptr<Connection>(&connection)]() mutable {
    gone.reset();
    observer.on_connection_over();
  });
}

}  // namespace serval::server
