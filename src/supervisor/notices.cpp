#include "supervisor/notices.hpp"

#include <algorithm>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// By so much a timeout of the service manager's is put off each time, and how often: one that comes late does no harm.
constexpr auto kExtension = std::chrono::microseconds(15s);
constexpr auto kExtendEvery = 5s;
constexpr auto kBetweenStatuses = 1s;

}  // namespace

std::string Notices::with_status(std::string state, const std::string& status, TimePoint now) {
  said_ = status;
  said_at_ = now;
  unsaid_ = false;
  return state + (state.empty() ? "" : "\n") + "STATUS=" + status;
}

std::vector<std::string> Notices::due(const std::string& status, TimePoint busy_until, TimePoint now) {
  std::vector<std::string> states;
  if (watchdog_ > 0us && now >= next_beat_) {
    states.emplace_back("WATCHDOG=1");
    next_beat_ = now + watchdog_ / 2;
  }
  if (!told_) return states;
  if (busy_until <= now) {
    next_extension_ = TimePoint::min();
  } else if (now >= next_extension_) {
    states.push_back("EXTEND_TIMEOUT_USEC=" + std::to_string(kExtension.count()));
    next_extension_ = now + kExtendEvery;
  }
  unsaid_ = status != said_;
  if (unsaid_ && (said_at_ == TimePoint::min() || now - said_at_ >= kBetweenStatuses))
    states.push_back(with_status("", status, now));
  return states;
}

TimePoint Notices::next() const {
  TimePoint next = watchdog_ > 0us ? next_beat_ : TimePoint::max();
  if (unsaid_) next = std::min(next, said_at_ + kBetweenStatuses);
  if (next_extension_ != TimePoint::min()) next = std::min(next, next_extension_);
  return next;
}

}  // namespace serval::supervisor
