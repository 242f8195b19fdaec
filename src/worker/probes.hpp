#pragma once

#include <functional>
#include <string>

#include "base/readiness.hpp"
#include "config/config.hpp"
#include "server/handler.hpp"

namespace serval::worker {

/// What a probe is answered with; `body` is JSON.
struct ProbeAnswer {
  int status;
  std::string body;
};
ProbeAnswer live_answer();
ProbeAnswer ready_answer(const Readiness& server);

/// Answers health.live and health.ready on the loop, before any thread, queue or pause has a say; everything else goes
/// to the next handler. Loop only.
class Probes final : public server::Handler {
 public:
  /// `readiness`: as it is now. All are borrowed.
  Probes(const config::Health& config, std::function<Readiness()> readiness, server::Handler& next)
      : config_(config), readiness_(std::move(readiness)), next_(next) {}

  Taken take(server::Exchange& exchange) override;
  void on_deadline(server::Exchange& exchange, TimePoint now) override { next_.on_deadline(exchange, now); }
  void on_abandoned(server::Exchange& exchange) override { next_.on_abandoned(exchange); }
  void on_abandoned_done(server::Exchange& exchange) override { next_.on_abandoned_done(exchange); }
  void on_done() override { next_.on_done(); }

 private:
  const config::Health& config_;
  const std::function<Readiness()> readiness_;
  server::Handler& next_;
};

}  // namespace serval::worker
