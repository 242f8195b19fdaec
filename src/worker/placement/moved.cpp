#include "worker/placement/moved.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "ipc/reports.hpp"

namespace serval::worker::placement {
namespace {

using namespace std::chrono_literals;

constexpr auto kMaxAge = 365 * 24h;
constexpr std::uint32_t kMaxRequests = 1'000'000'000;

std::int64_t nanoseconds(TimePoint time) { return std::chrono::nanoseconds(time.time_since_epoch()).count(); }

}  // namespace

ipc::Guest guest_of(const http::History& history, const net::Peer& peer) {
  ipc::Guest guest{.requests = static_cast<std::uint32_t>(history.requests),
                   .accepted_ns = nanoseconds(history.accepted),
                   .last_activity_ns = nanoseconds(history.last_activity),
                   .port = peer.port,
                   .untouched = history.untouched};
  ipc::put_text(guest.peer, peer.address);
  return guest;
}

http::History history_of(const ipc::Guest& guest, TimePoint now) {
  const TimePoint earliest = now - kMaxAge;
  const auto time = [&](std::int64_t ns) { return std::clamp(TimePoint(std::chrono::nanoseconds(ns)), earliest, now); };
  return {.accepted = time(guest.accepted_ns),
          .last_activity = time(guest.last_activity_ns),
          .requests = static_cast<int>(std::min(guest.requests, kMaxRequests)),
          .untouched = guest.untouched != 0};
}

net::Peer peer_of(const ipc::Guest& guest) {
  return {.address = std::string(ipc::get_text(guest.peer)), .port = guest.port};
}

}  // namespace serval::worker::placement
