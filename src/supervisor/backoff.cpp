#include "supervisor/backoff.hpp"

#include <algorithm>

namespace serval::supervisor {
namespace {

Duration window(const config::Restart& policy, int crashes_in_a_row) {
  Duration longest = std::min(policy.backoff_first, policy.backoff_max);
  for (int i = 1; i < crashes_in_a_row && longest < policy.backoff_max; ++i)
    longest = std::min(longest * 2, policy.backoff_max);
  return longest;
}

}  // namespace

Duration Backoff::crashed(const config::Restart& policy, Clock::duration healthy_for, std::mt19937_64& random) {
  if (healthy_for >= policy.backoff_reset) crashes_in_a_row_ = 0;
  ++crashes_in_a_row_;
  const bool was_healthy = healthy_for > Clock::duration::zero();
  if (crashes_in_a_row_ == 1 && was_healthy) return Duration::zero();
  return Duration(std::uniform_int_distribution<Duration::rep>(0, window(policy, crashes_in_a_row_).count())(random));
}

std::string restarting_in(Duration delay) {
  return delay == Duration::zero() ? "restarting at once" : "restarting in " + std::to_string(delay.count()) + "ms";
}

}  // namespace serval::supervisor
