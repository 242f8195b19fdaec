#include "worker/drain.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace serval::worker {

using namespace std::chrono_literals;

namespace {

/// After the grace the worker leaves by itself, without a master as well; a little earlier than the master would kill
/// it, so that its own last words are in the log.
constexpr auto kGraceMargin = 100ms;
/// After a worker has put its last connection into the lobby: as long as a stop of the whole server may take to come
/// round, if its processes are signalled one by one. A successor that still boots finds them there without us.
constexpr auto kGuestsTimeout = 1s;
constexpr auto kBetweenLooks = 5ms;

}  // namespace

void Drain::begin(bool others_take_over) {
  others_take_over_ = others_take_over;
  parts_.hub.farewell.draining.store(true);
  if (others_take_over && parts_.lobby.possible()) {
    parts_.lobby.begin();
    parts_.hub.say_farewell();
  } else {
    say_goodbye();
  }
  parts_.intake.drain(others_take_over, [this] { on_closed(); });
  grace_.expires_after(std::max<Duration>(parts_.grace - kGraceMargin, 0ms));
  grace_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_grace_over();
  });
}

void Drain::say_goodbye() {
  parts_.lobby.end();
  parts_.hub.farewell.goodbye.store(true);
  parts_.hub.say_farewell();
  check();
}

void Drain::stop_after_all() {
  if (!std::exchange(others_take_over_, false)) return;
  last_look_.cancel();
  finished_ = false;
  parts_.intake.drain_lobby();
  say_goodbye();
}

void Drain::on_closed() {
  tell_if_left();
  check();
}

/// A master that knows no lobby does not ask.
void Drain::tell_if_left() {
  if (told_left_ || !parts_.lobby.possible() || !begun() || parts_.intake.still_accepting() || !parts_.lobby.empty())
    return;
  told_left_ = true;
  parts_.tell_master(ipc::NoLongerAccepting{});
}

void Drain::check() {
  if (finished_ || !begun() || parts_.intake.still_accepting() || !parts_.hub.connections().empty()) return;
  if (parts_.pool.running() > 0) return tell_if_only_stuck_are_left();
  finished_ = true;
  parts_.flush();
  leave();
}

void Drain::tell_if_only_stuck_are_left() {
  if (told_stuck_ || parts_.pool.running() > parts_.overdue.told()) return;
  told_stuck_ = true;
  parts_.flush();
  parts_.tell_master(ipc::OnlyStuckLeft{});
}

/// What it has put into the lobby it sees taken out: it may be told yet that the server stops.
void Drain::leave() {
  if (!guests_wait()) return parts_.leave();
  last_look_.expires_after(kBetweenLooks);
  last_look_.async_wait([this](const boost::system::error_code& error) {
    if (!error && others_take_over_) leave();  // else there is something to do again
  });
}

bool Drain::guests_wait() const {
  if (!others_take_over_ || !parts_.lobby.moving() || parts_.lobby.last_sent() == TimePoint::min()) return false;
  return Clock::now() - parts_.lobby.last_sent() < kGuestsTimeout && parts_.intake.connection_in_lobby();
}

/// Handlers that do not return cannot be waited for, and their threads cannot be ended: the process ends here.
void Drain::on_grace_over() {
  const int handlers = parts_.pool.running();
  std::size_t requests = 0;
  for (server::Connection& connection : parts_.hub.connections()) requests += connection.cut() ? 1 : 0;
  parts_.flush();
  log::warning("grace is over: requests are cut off",
               {{"requests", requests}, {"handlers", handlers}, {"grace", parts_.grace}});
  log::finish();
  ::_exit(exit_code_);
}

}  // namespace serval::worker
