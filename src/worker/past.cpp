#include "worker/past.hpp"

#include <algorithm>
#include <chrono>

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongestPast = 365 * 24h;
constexpr std::uint32_t kMostRequests = 1'000'000'000;

}  // namespace

Past past_of(const ipc::Guest& guest, TimePoint now) {
  const TimePoint earliest = now - kLongestPast;
  const auto time = [&](std::int64_t ns) { return std::clamp(TimePoint(std::chrono::nanoseconds(ns)), earliest, now); };
  return {.accepted = time(guest.accepted_ns),
          .last_activity = time(guest.last_activity_ns),
          .requests = static_cast<int>(std::min(guest.requests, kMostRequests)),
          .untouched = guest.untouched != 0};
}

}  // namespace serval::worker
