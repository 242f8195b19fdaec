#pragma once

#include "base/time.hpp"
#include "worker/placement/fleet_view.hpp"
#include "worker/placement/policy.hpp"

namespace serval::worker::placement {

/// While two generations are compared (reload.watch), clients that keep their connections have to meet both: a
/// connection that has just been answered may go on with the other one. Loop only.
class SideChanges {
 public:
  /// `fleet` is borrowed.
  SideChanges(const FleetView& fleet, int slot) : fleet_(fleet), draws_(slot) {}

  int own_generation() const { return fleet_.own_generation(); }
  /// Whether this connection is to change now. `drawn_at` is kept with it, and is zero at first.
  bool draw(TimePoint& drawn_at) {
    const Comparison comparison = fleet_.comparison();
    if (!comparison.on()) [[likely]]
      return false;
    const TimePoint now = Clock::now();
    if (drawn_at == TimePoint{}) drawn_at = now;  // it may have changed a moment ago
    if (now - drawn_at < kBetweenDraws) return false;
    drawn_at = now;
    return changes_sides(comparison, fleet_.own_generation(), draws_.next());
  }

 private:
  const FleetView& fleet_;
  EvenDraws draws_;
};

}  // namespace serval::worker::placement
