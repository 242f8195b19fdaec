#include "worker/threads/loop_load.hpp"

#include <algorithm>
#include <utility>

namespace serval::worker {

namespace {

using namespace std::chrono_literals;

/// Mean time for which a request that comes at any moment finds the loop busy with those before it. Quick requests come
/// to that when the loop has hardly any time left, long ones much sooner.
constexpr Clock::duration kMaxMeanWait = 250us;

}  // namespace

bool LoopLoad::overloaded(const Sample& now) {
  const Sample before = std::exchange(last_, now);
  const double busy = std::chrono::duration<double>(now.cpu - before.cpu).count();
  const double used = busy / std::chrono::duration<double>(now.at - before.at).count();
  if (used >= 1) return true;
  const double each = busy / static_cast<double>(std::max<std::uint64_t>(now.requests - before.requests, 1));
  // The mean wait in a queue with one server and no pattern in what comes (M/M/1).
  return used / (1 - used) * each > std::chrono::duration<double>(kMaxMeanWait).count();
}

}  // namespace serval::worker
