#pragma once

#include <functional>

#include "config/config.hpp"
#include "server/handler.hpp"
#include "worker/handler_call.hpp"
#include "worker/overdue_handlers.hpp"
#include "worker/pause_gate.hpp"
#include "worker/threads/handler_pool.hpp"

namespace serval::worker {

/// Lets the app answer requests, on the threads of the pool, within the limits of the configuration. Loop only.
class AppHandler final : public server::Handler {
 public:
  /// All are borrowed. `on_change`: the pool has a request less, or one waits in it.
  struct Parts {
    const config::Config& config;
    HandlerCall::Context context;
    HandlerPool& pool;
    PauseGate& gate;
    OverdueHandlers& overdue;
    std::function<void()> on_change;
  };
  explicit AppHandler(Parts parts) : parts_(std::move(parts)) {}

  Taken take(server::Exchange& exchange) override;
  void on_deadline(server::Exchange& exchange, TimePoint now) override;
  void on_abandoned(server::Exchange& exchange) override { HandlerCall::of(exchange).cancel(); }
  void on_abandoned_done(server::Exchange& exchange) override { parts_.overdue.returned(HandlerCall::of(exchange)); }
  void on_done() override { parts_.on_change(); }

  /// All threads are stuck: no request can be run any more.
  bool all_stuck() const { return parts_.overdue.stuck() >= parts_.config.workers.threads; }
  /// If all threads are stuck, what waits for one is refused.
  void refuse_waiting();

 private:
  HandlerCall& begin_call(server::Exchange& exchange);
  Taken submit(server::Exchange& exchange, HandlerCall& call);
  void hint_at_proxy(const server::Exchange& exchange);
  bool still_waits(server::Exchange& exchange, HandlerCall& call, TimePoint now);

  const Parts parts_;
  bool proxy_hint_due_ = true;  ///< nothing has been said yet of a proxy that is not trusted
};

}  // namespace serval::worker
