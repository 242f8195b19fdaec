#include "worker/placement/fleet_view.hpp"

namespace serval::worker::placement {

using namespace std::chrono_literals;

const scoreboard::Siblings& FleetView::before(TimePoint now) {
  if (now - looked_ < 1ms) return before_;
  looked_ = now;
  if (comparison().on()) return before_ = {};
  return before_ = scoreboard::siblings(memory_, {.end = slot_, .enough = cpus_ + 1}, threads_, now);
}

const scoreboard::Siblings& FleetView::all_others(TimePoint now) {
  if (now - looked_at_all_ < 1ms) return others_;
  looked_at_all_ = now;
  return others_ =
             scoreboard::siblings(memory_, {.end = memory_.size().slots, .but = slot_, .enough = 1}, threads_, now);
}

bool FleetView::none_has_headroom(TimePoint now) { return all_others(now).with_headroom == 0; }

bool FleetView::another_is_ready() const { return scoreboard::readiness(memory_, Clock::now()).ready() > 0; }

scoreboard::Siblings FleetView::others(TimePoint now) const {
  const int all = memory_.size().slots;
  return scoreboard::siblings(memory_, {.end = all, .but = slot_, .enough = all}, threads_, now);
}

}  // namespace serval::worker::placement
