#include "worker/departures.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace serval::worker {

using namespace std::chrono_literals;

namespace {

/// Connections whose waits are interrupted in one turn of the loop: requests that are in hand are not to wait for ten thousand idle ones.
constexpr int kAtOnce = 64;
/// Between two tries at a full lobby. It takes some hundred connections, and an idle sibling takes one within microseconds.
constexpr auto kWhileFull = 2ms;
/// A lobby that takes nobody for so long has nobody who looks after it.
constexpr auto kPatience = 1s;

}  // namespace

Departures::Departures(boost::asio::io_context& io, int entry, Hooks hooks) : io_(io), entry_(entry), hooks_(std::move(hooks)), timer_(io) {}

void Departures::begin() {
  moving_ = possible();
  full_since_ = TimePoint::max();
}

void Departures::add(Connection& connection) {
  if (!connection.departure_hook.is_linked()) waiting_.push_back(connection);
  if (moving_) go_on_soon();
}

void Departures::remove(Connection& connection) {
  if (!connection.departure_hook.is_linked()) return;
  connection.departure_hook.unlink();
  if (waiting_.empty()) hooks_.on_empty();
}

bool Departures::send(const ipc::Guest& guest, int connection, std::string_view unread) {
  const TimePoint now = Clock::now();
  switch (ipc::send_guest(entry_, guest, connection, unread)) {
    case ipc::Sent::sent:
      full_since_ = TimePoint::max();
      last_sent_ = now;
      return true;
    case ipc::Sent::failed:
      broken_ = true;
      [[fallthrough]];
    case ipc::Sent::full:
      full_since_ = std::min(full_since_, now);
      return false;
  }
  return false;
}

void Departures::go_on_soon() {
  if (scheduled_) return;
  scheduled_ = true;
  // Interrupted waits end in the loop before what is posted after them: each turn has something else to do, or finds the lobby full.
  if (full_since_ == TimePoint::max()) return boost::asio::post(io_, [this] { go_on(); });
  timer_.expires_after(kWhileFull);
  timer_.async_wait([this](const boost::system::error_code&) { go_on(); });
}

void Departures::go_on() {
  scheduled_ = false;
  if (!moving_ || waiting_.empty()) return;
  if (broken_ || (full_since_ != TimePoint::max() && Clock::now() - full_since_ > kPatience)) {
    moving_ = false;
    return hooks_.on_give_up();
  }
  int turn = 0;
  for (auto at = waiting_.begin(); at != waiting_.end() && turn < kAtOnce; ++turn) (at++)->interrupt();
  go_on_soon();
}

}  // namespace serval::worker
