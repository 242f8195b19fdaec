#include "worker/placement/fleet_view.hpp"

namespace serval::worker::placement {

using namespace std::chrono_literals;

const scoreboard::Siblings& FleetView::before(TimePoint now) {
  if (now - looked_ < 1ms) return before_;
  looked_ = now;
  return before_ = scoreboard::siblings(memory_, {.end = slot_, .enough = cpus_ + 1}, threads_, now);
}

scoreboard::Siblings FleetView::others(TimePoint now) const {
  const int all = memory_.size().slots;
  return scoreboard::siblings(memory_, {.end = all, .but = slot_, .enough = all}, threads_, now);
}

}  // namespace serval::worker::placement
