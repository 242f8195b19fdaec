#include "supervisor/outage.hpp"

#include <utility>

namespace serval::supervisor {
namespace {

/// Clients hardly notice a shorter one: it is over by then, or a stop was the reason.
constexpr auto kPatience = std::chrono::milliseconds(500);

}  // namespace

void Outage::settle(const Turn& turn) {
  if (turn.slots.any([](const Slot& slot) { return slot.serving() || slot.at_door(); })) {
    if (std::exchange(said_, false)) {
      turn.say(log::Level::info, "workers serve again",
               {{"after_ms", in_milliseconds(turn.now - *since_)}});
    }
    since_.reset();
    return;
  }
  if (!since_) since_ = turn.now;
  if (next() > turn.now) return;
  said_ = true;
  turn.say(log::Level::error, "no worker serves",
           {{"wanted", turn.settings.workers}, {"next", "new connections wait until one does"}});
}

TimePoint Outage::next() const { return since_ && !said_ ? *since_ + kPatience : TimePoint::max(); }

}  // namespace serval::supervisor
