#include <algorithm>

#include "supervisor/supervisor.hpp"

// Whether new traffic is wanted.
namespace serval::supervisor {

/// What a load balancer is told. Few workers are better than none: only who cannot or will not serve at all is unready.
std::string Supervisor::unready() const {
  if (phase_ == Phase::stopping || phase_ == Phase::finished) return "stopping";
  if (!complete_) return "booting";
  if (drained_) return "draining (serval drain)";
  const bool any_serves = std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.serving(); });
  return any_serves ? "" : "no worker serves";
}

void Supervisor::handle(const DrainRequested& event) {
  if (phase_ == Phase::stopping || drained_ == event.on) return;
  drained_ = event.on;
  say(log::Level::info, drained_ ? "draining: not ready for new traffic, who comes is served" : "draining no more: ready for traffic", {{"by", event.by}});
}

}  // namespace serval::supervisor
