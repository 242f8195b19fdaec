#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/request_id.hpp"
#include "os/unique_fd.hpp"
#include "server/exchange.hpp"
#include "server/handler.hpp"
#include "server/hub.hpp"
#include "server/observer.hpp"

/// The engine with clients, a handler, an observer and a migration that a test has in its hands. The test's thread is
/// the loop.
namespace serval::server::test {

using namespace std::chrono_literals;
using http::Outcome;
using Taken = Handler::Taken;

/// What a pool thread throws that has lost the loop.
struct LeavesTheStack {};

inline Taken answer(Exchange& exchange, std::string_view body) {
  EXPECT_EQ(exchange.respond({.status = 200, .fields = {}, .body = body, .release = {}}), "");
  return Taken::answered;
}

class ScriptedHandler final : public Handler {
 public:
  /// What is done about each request; at first it is answered with "ok".
  std::function<Taken(Exchange&)> on_take = [](Exchange& exchange) { return answer(exchange, "ok"); };
  std::vector<std::string> targets;     ///< of all requests, each time that they were taken
  std::vector<Exchange*> pending;       ///< kept by keep()
  std::vector<Exchange*> overdue;       ///< on_deadline()
  std::vector<Exchange*> abandoned;
  std::vector<Exchange*> abandoned_done;
  int done = 0;

  /// Leaves all requests pending.
  void keep() {
    on_take = [this](Exchange& exchange) {
      pending.push_back(&exchange);
      return Taken::pending;
    };
  }
  /// The one that is pending, which is not any more.
  Exchange& last() {
    EXPECT_FALSE(pending.empty());
    Exchange& exchange = *pending.back();
    pending.pop_back();
    return exchange;
  }

  Taken take(Exchange& exchange) override {
    targets.emplace_back(exchange.request().target);
    return on_take(exchange);
  }
  void on_deadline(Exchange& exchange, TimePoint) override { overdue.push_back(&exchange); }
  void on_abandoned(Exchange& exchange) override { abandoned.push_back(&exchange); }
  void on_abandoned_done(Exchange& exchange) override { abandoned_done.push_back(&exchange); }
  void on_done() override { ++done; }
};

class Recorder final : public Observer {
 public:
  struct Over {
    std::string target;
    int status;
    Outcome outcome;
    std::string reason;
    std::uint64_t bytes_out;

    friend bool operator==(const Over&, const Over&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Over& over) {
      return out << over.target << " " << over.status << " " << http::outcome_text(over.outcome) << " '" << over.reason
                 << "' " << over.bytes_out;
    }
  };
  std::vector<Over> over;
  std::vector<std::string> dropped;  ///< fields
  std::vector<BodyTrouble> troubles;
  std::vector<std::size_t> open;     ///< each number that on_connections() said
  int connections_over = 0;

  void on_connections(std::size_t count) override { open.push_back(count); }
  void on_connection_over() override { ++connections_over; }
  void on_over(const Summary& summary) override {
    over.push_back({std::string(summary.exchange.request().target), summary.status, summary.outcome,
                    std::string(summary.reason), summary.bytes_out});
  }
  void on_field_dropped(const Exchange&, std::string_view name) override { dropped.emplace_back(name); }
  void on_body_trouble(BodyTrouble trouble, int) override { troubles.push_back(trouble); }
};

class ScriptedMigration final : public Migration {
 public:
  std::function<bool(Connection&)> wait = [](Connection&) { return false; };
  int waits = 0;
  std::vector<Connection*> farewells;
  std::vector<Connection*> waits_over;
  Migration* instead = nullptr;      ///< asked and told in its place, if there is one: for a hub that is made before

  bool on_wait(Connection& connection) override {
    if (instead != nullptr) return instead->on_wait(connection);
    ++waits;
    return wait(connection);
  }
  void on_farewell(Connection& connection) override {
    if (instead != nullptr) return instead->on_farewell(connection);
    farewells.push_back(&connection);
  }
  void on_wait_over(Connection& connection) override {
    if (instead != nullptr) return instead->on_wait_over(connection);
    waits_over.push_back(&connection);
    connection.waiting_hook.unlink();
  }
};

/// The other end of a connection.
class Client {
 public:
  explicit Client(UniqueFd fd) : fd_(std::move(fd)) {}

  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void ends_its_direction() const { ::shutdown(fd_.get(), SHUT_WR); }
  void leaves() { fd_.reset(); }
  /// All that has come and was not taken yet.
  const std::string& received() {
    char some[16 * 1024];
    while (fd_) {
      const ssize_t bytes = ::recv(fd_.get(), some, sizeof some, MSG_DONTWAIT);
      if (bytes == 0) ended_ = true;
      if (bytes <= 0) break;
      received_.append(some, static_cast<std::size_t>(bytes));
    }
    return received_;
  }
  /// Nothing more comes.
  bool ended() {
    received();
    return ended_;
  }
  std::string take() { return std::exchange(received_, {}); }

 private:
  UniqueFd fd_;
  std::string received_;
  bool ended_ = false;
};

class Engine : public ::testing::Test {
 protected:
  Engine() { http::reseed_request_ids(); }
  ~Engine() override { end(); }

  /// Before the first client.
  Settings settings;
  http::Farewell farewell;
  ScriptedHandler handler;
  Recorder observer;
  ScriptedMigration migration;
  boost::asio::io_context io;
  /// Likewise: those that the hub is given.
  Handler* serves = &handler;
  Observer* hears = &observer;
  Migration* moves = &migration;

  Hub& hub() {
    if (!hub_) hub_ = std::make_unique<Hub>(io, settings, Hub::Roles{farewell, *serves, *hears, *moves});
    return *hub_;
  }
  Client& connect(net::Peer peer = {"192.0.2.7", 4711}) {
    auto [client, server] = pair();
    hub().serve(std::move(server), std::move(peer));
    return add(std::move(client));
  }
  /// One that was served elsewhere before.
  Client& connect(const http::History& history, std::string_view unread) {
    auto [client, server] = pair();
    hub().serve(std::move(server), {"192.0.2.7", 4711}, history, unread);
    return add(std::move(client));
  }
  Connection& connection() { return hub().connections().back(); }

  /// Runs the loop until `condition` holds, or for five seconds: a failure then.
  void run_until(const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + 5s;
    while (!condition()) {
      ASSERT_LT(Clock::now(), end) << "it does not come";
      guarded([&] { return io.run_one_for(10ms); });
    }
  }
  /// All that can be done now.
  void run_dry() {
    while (guarded([&] { return io.poll_one(); })) {}
  }
  void run_until_pending(std::size_t count = 1) {
    run_until([&] { return handler.pending.size() == count; });
  }
  /// Runs until the client has got something that ends like this, and takes it.
  std::string until(Client& client, std::string_view end) {
    run_until([&] { return client.received().ends_with(end); });
    return client.take();
  }
  std::string until_ended(Client& client) {
    run_until([&] { return client.ended(); });
    return client.take();
  }
  /// Pending requests are done, all connections close, and the hub is gone. A derived fixture whose own members it
  /// borrows calls this before they end.
  void end() {
    for (const std::unique_ptr<Client>& client : clients_) client->leaves();
    if (!hub_) return;
    handler.on_take = [](Exchange& exchange) { return answer(exchange, "ok"); };
    for (Exchange* exchange : std::exchange(handler.pending, {})) {
      answer(*exchange, "late");
      exchange->done();
    }
    for (auto at = hub_->connections().begin(); at != hub_->connections().end();) (at++)->close();  // may remove itself
    run_dry();
    EXPECT_TRUE(hub_->connections().empty());
    hub_.reset();
  }
  void run_until_over(std::size_t count = 1) {
    run_until([&] { return observer.over.size() == count; });
  }

 private:
  static std::pair<UniqueFd, UniqueFd> pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
  }
  Client& add(UniqueFd end) { return *clients_.emplace_back(std::make_unique<Client>(std::move(end))); }
  template <class Run>
  static bool guarded(Run run) {
    try {
      return run() > 0;
    } catch (const LeavesTheStack&) {
      return true;  // and nothing below has touched anything on the way
    }
  }

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io.get_executor()};
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<Hub> hub_;
};

inline std::string get(std::string_view target, std::string_view fields = {}) {
  return std::string("GET ").append(target).append(" HTTP/1.1\r\nHost: here\r\n").append(fields).append("\r\n");
}
inline std::string post(std::string_view target, std::string_view body, std::string_view fields = {}) {
  return std::string("POST ").append(target).append(" HTTP/1.1\r\nHost: here\r\nContent-Length: ")
      .append(std::to_string(body.size())).append("\r\n").append(fields).append("\r\n").append(body);
}

}  // namespace serval::server::test
