#include "worker/refusals.hpp"

#include "base/log.hpp"

namespace serval::worker {

namespace {

constexpr std::size_t kMaxShownBytes = 100;

}  // namespace

std::string_view shown_of(std::string_view received) {
  std::string_view line = received.substr(0, received.find('\n')).substr(0, kMaxShownBytes);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void Refusals::add(const http::AccessRecord& record) {
  peer_ = record.peer;
  reason_ = record.reason;
  received_ = record.received;
  status_ = record.status;
  line_.add();
}

bool Refusals::say(std::uint64_t count) const {
  return log::write(
      log::Level::info, "request refused",
      {{"status", status_}, {"reason", reason_}, {"received", received_}, {"peer", peer_}, {"count", count}});
}

}  // namespace serval::worker
