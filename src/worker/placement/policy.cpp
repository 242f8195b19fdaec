#include "worker/placement/policy.hpp"

#include <algorithm>
#include <utility>

namespace serval::worker::placement {

namespace {

/// An overloaded loop gives away one in this many of its connections at a time.
constexpr int kShareGivenAway = 16;

}  // namespace

Accept accept(const Siblings& before, bool saturated, int cpus) {
  if (!saturated && before.with_headroom == 0 && before.overloaded < cpus) return Accept::now;
  return before.with_headroom > cpus ? Accept::much_later : Accept::soon;
}

bool Looks::found(std::uint64_t taken_by_sibling, bool none_has_headroom) {
  if (in_a_row_ == kLooks || (none_has_headroom && in_a_row_ > 0)) return true;
  // What waits now has just come if the sibling is at it.
  if (std::exchange(taken_before_, taken_by_sibling) != taken_by_sibling) in_a_row_ = 0;
  ++in_a_row_;
  return false;
}

int connections_to_give(int connections, const Siblings& others, int cpus) {
  const bool gains = others.with_headroom > 0 && others.overloaded + 1 < cpus;
  if (!gains || connections < 2) return 0;  // the only one gains nothing elsewhere
  return std::max(1, connections / kShareGivenAway);
}

bool changes_sides(const Comparison& comparison, int own_generation, double draw) {
  const double part_of_new = comparison.permille / 1000.0;
  return draw < (own_generation == comparison.generation ? 1 - part_of_new : part_of_new);
}

}  // namespace serval::worker::placement
