#include "server/hub.hpp"

#include <boost/asio/post.hpp>

#include <utility>

#include "http1/session.hpp"
#include "server/exchange.hpp"

namespace serval::server {

namespace {

/// Exchanges kept for reuse; as many as requests are usually under way at a time.
constexpr std::size_t kSpareExchanges = 64;

}  // namespace

Hub::Hub(boost::asio::io_context& loop, Settings values, const Roles& roles)
    : io(loop),
      settings(std::move(values)),
      farewell(roles.farewell),
      handler(roles.handler),
      observer(roles.observer),
      migration(roles.migration),
      deadlines(loop) {}

Hub::~Hub() {
  connections_.clear_and_dispose([](Connection* connection) { delete connection; });
}

void Hub::serve(UniqueFd fd, net::Peer peer) {
  const TimePoint now = Clock::now();
  serve(std::move(fd), std::move(peer), {.accepted = now, .last_activity = now}, {});
}

void Hub::serve(UniqueFd fd, net::Peer peer, const http::History& history, std::string_view unread) {
  auto connection = std::make_unique<Connection>(*this, std::move(fd), std::move(peer), history, unread);
  connections_.push_back(*connection);
  observer.on_connections(connections_.size());
  connection.release()->start();  // owned by the list from here
}

void Hub::say_farewell() {
  for (auto at = connections_.begin(); at != connections_.end();) (at++)->on_farewell();  // may remove itself
}

std::unique_ptr<http::Session> Hub::make_session(http::Streams& streams, const http::History& history, std::string_view unread) const {
  auto session = std::make_unique<http1::Session>(settings.timeouts, farewell, streams, history, Clock::now());
  if (!unread.empty()) session->put(unread);
  return session;
}

std::unique_ptr<Exchange> Hub::lend() {
  if (spare_.empty()) return std::make_unique<Exchange>(*this, std::make_unique<http1::Message>(settings.limits));
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void Hub::take_back(std::unique_ptr<Exchange> exchange) {
  exchange->reset();
  if (spare_.size() < kSpareExchanges) spare_.push_back(std::move(exchange));
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
