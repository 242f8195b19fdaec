#include "worker/placement/lobby_sender.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "ipc/lobby.hpp"
#include "worker/placement/moved.hpp"

namespace serval::worker::placement {

using namespace std::chrono_literals;

namespace {

/// Connections whose waits are interrupted in one turn of the loop: requests that are in hand are not to wait for ten
/// thousand idle ones.
constexpr int kBatch = 64;
/// Between two tries at a full lobby. It takes some hundred connections, and an idle sibling takes one within
/// microseconds.
constexpr auto kRetryInterval = 2ms;
/// No worker empties a lobby that has taken nothing for this long.
constexpr auto kLobbyFullTimeout = 1s;

}  // namespace

LobbySender::LobbySender(boost::asio::io_context& io, int entry, const http::Farewell& farewell, LoadShedding& shedding,
                         SideChanges& side_changes, Hooks hooks)
    : io_(io),
      entry_(entry),
      farewell_(farewell),
      shedding_(shedding),
      side_changes_(side_changes),
      hooks_(std::move(hooks)),
      timer_(io) {}

void LobbySender::begin() {
  moving_ = possible();
  full_since_ = TimePoint::max();
}

bool LobbySender::on_wait(server::Connection& connection) {
  if (farewell_.draining.load(std::memory_order_relaxed)) {
    if (moving_ && send_idle(connection)) return true;
    add(connection);
    return false;
  }
  if (connection.history().requests == 0) return false;
  if (side_changes_.draw(connection.drawn_at)) return send_idle(connection, side_changes_.own_generation());
  return shedding_.active() && shedding_.gives_away() && send_idle(connection);
}

void LobbySender::add(server::Connection& connection) {
  if (!connection.waiting_hook.is_linked()) waiting_.push_back(connection);
  if (moving_) continue_soon();
}

void LobbySender::on_wait_over(server::Connection& connection) {
  connection.waiting_hook.unlink();
  if (waiting_.empty()) hooks_.on_empty();
}

/// It begins anew there: one request less has been begun.
bool LobbySender::send_request(server::Connection& connection) {
  std::string memory;
  const std::string_view request = connection.bytes_again(memory);
  if (request.empty() || request.size() > ipc::kMaxUnreadBytes) return false;
  http::History history = connection.history();
  --history.requests;
  return send(connection, guest_of(history, connection.peer()), request);
}

bool LobbySender::send_idle(server::Connection& connection, int leaves) {
  if (!possible()) return false;
  ipc::Guest guest = guest_of(connection.history(), connection.peer());
  guest.leaves = static_cast<std::uint32_t>(leaves);
  return send(connection, guest, {});
}

/// False: the lobby is full; a connection that is in the list has its turn again.
bool LobbySender::send(server::Connection& connection, ipc::Guest guest, std::string_view unread) {
  const TimePoint now = Clock::now();
  switch (ipc::send_guest(entry_, guest, connection.fd(), unread)) {
    case ipc::Sent::sent:
      full_since_ = TimePoint::max();
      last_sent_ = now;
      connection.release();
      return true;
    case ipc::Sent::failed: broken_ = true; [[fallthrough]];
    case ipc::Sent::full: full_since_ = std::min(full_since_, now); return false;
  }
  return false;
}

void LobbySender::continue_soon() {
  if (std::exchange(scheduled_, true)) return;
  // Interrupted waits end in the loop before what is posted after them: each turn has something else to do, or finds
  // the lobby full.
  if (full_since_ == TimePoint::max()) return boost::asio::post(io_, [this] { go_on(); });
  timer_.expires_after(kRetryInterval);
  timer_.async_wait([this](const boost::system::error_code&) { go_on(); });
}

void LobbySender::go_on() {
  scheduled_ = false;
  if (!moving_ || waiting_.empty()) return;
  if (broken_ || (full_since_ != TimePoint::max() && Clock::now() - full_since_ > kLobbyFullTimeout)) {
    moving_ = false;
    return hooks_.on_give_up();
  }
  int turn = 0;
  for (auto at = waiting_.begin(); at != waiting_.end() && turn < kBatch; ++turn) (at++)->interrupt();
  continue_soon();
}

}  // namespace serval::worker::placement
