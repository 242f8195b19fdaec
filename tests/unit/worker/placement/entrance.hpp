#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <string>
#include <utility>

#include "fleet.hpp"
#include "worker/accounting.hpp"
#include "worker/descriptors.hpp"
#include "worker/placement/accept_turn.hpp"

namespace serval::worker::placement::test {

/// A task of which only the place in the queue counts.
struct NoTask final : Task {
  void run(bool) override {}
  void done() override {}
};

/// What an AcceptTurn takes connections into: the engine of the worker in slot 1. Its threads are never started.
class EntranceTest : public Fleet {
 private:
  static UniqueFd listening() {
    UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un any{};
    any.sun_family = AF_UNIX;  // a name of the kernel's choice: unix(7), autobind
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), offsetof(sockaddr_un, sun_path)), 0);
    EXPECT_EQ(::listen(listener.get(), 64), 0);
    return listener;
  }

 protected:
  ~EntranceTest() override { end(); }

  /// A request waits for a thread here.
  void saturate() { pool.put_back(waiting); }
  void relax() { pool.withdraw(waiting); }

  /// A client connects.
  Client arrive() const {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    return Client(std::move(client));
  }

  const UniqueFd listener = listening();  ///< as all workers and the master have it
  bool stuck = false;
  int connections_over = 0;
  NoTask waiting;
  HandlerPool pool{io, kThreads, 16, {}};
  Accounting accounting{io,
                        board(),
                        {.known_as = 1,
                         .pid = 1,
                         .access_fd = -1,
                         .access_format = std::move(*http::AccessFormat::parse("common")),
                         .max_requests = 0,
                         .redactor = {},
                         .slow = {},
                         .log_probes = false,
                         .on_spent = [] {},
                         .on_connection_over = [this] { ++connections_over; }}};
  server::Hub& counted_hub() {
    hears = &accounting;
    return hub();
  }
  Descriptors descriptors{io, counted_hub(), [](const std::string&) {}};
  const Entrance entrance{hub(), pool, fleet, descriptors, accounting, [this] { return stuck; }};
};

}  // namespace serval::worker::placement::test
