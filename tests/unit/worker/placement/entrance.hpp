#pragma once

#include <string>

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
 protected:
  ~EntranceTest() override { end(); }

  /// A request waits for a thread here.
  void saturate() { pool.put_back(waiting); }
  void relax() { pool.withdraw(waiting); }

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
