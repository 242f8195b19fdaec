#include "worker/placement/accept_turn.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.hpp"
#include "net/accept.hpp"
#include "os/own_fds.hpp"

namespace serval::worker::placement {

using namespace std::chrono_literals;

namespace {

/// Handlers of a stuck worker may still return, and an app may want requests again.
constexpr auto kWhileDeclining = 20ms;
/// After accept failed for want of descriptors or memory.
constexpr auto kOutOfResources = 100ms;
constexpr auto kComplainEvery = 5s;

}  // namespace

AcceptTurn::AcceptTurn(const Entrance& entrance, UniqueFd queue, std::string address, bool local)
    : entrance_(entrance),
      queue_(queue.get()),
      address_(std::move(address)),
      local_(local),
      watched_(entrance.hub.io),
      timer_(entrance.hub.io) {
  aside_ = std::move(queue);
  come_back();
}

void AcceptTurn::wait() {
  watched_.async_wait(boost::asio::socket_base::wait_read, [this](const boost::system::error_code& error) {
    if (!error && open()) on_ready();
  });
}

/// What is watched wakes this process up for each connection, whether anything waits for it or not.
void AcceptTurn::step_aside() {
  if (aside_) return;  // a look that was due when the drain began comes in addition to the drain's own
  boost::system::error_code ignored;
  aside_ = UniqueFd(watched_.release(ignored));
}

void AcceptTurn::come_back() {
  if (aside_) watched_.assign(Protocol(local_ ? AF_UNIX : AF_INET, 0), aside_.release());
}

/// What is left of a worker that drains is its own to take, unless it is saturated.
Accept AcceptTurn::decide() const {
  const bool saturated = entrance_.pool.saturated();
  if (is_for_others()) return Accept::soon;
  if (on_empty_) return accept({}, saturated, entrance_.fleet.cpus());
  return accept(entrance_.fleet.before(Clock::now()), saturated, entrance_.fleet.cpus());
}

void AcceptTurn::on_ready() {
  if (held_) {
    ready_ = true;
    return;
  }
  if (entrance_.declines()) return leave_to_others();
  const Accept when = decide();
  if (when == Accept::now) {
    looks_.start_over();
    return take_turn();
  }
  const bool ours = looks_.found(taken_by_sibling(), entrance_.fleet.none_has_headroom(Clock::now()));
  ours ? take_turn() : look_again(when);
}

void AcceptTurn::look_again(Accept when) {
  step_aside();
  timer_.expires_after(when == Accept::much_later ? kFarBetweenLooks : kBetweenLooks);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !open()) return;
    come_back();
    if (connection_waits()) return on_ready();
    looks_.start_over();
    on_empty_ ? take_turn() : wait();
  });
}

/// Whatever waits is better off with another worker. One that drains has a successor by then; else one is on its way.
void AcceptTurn::leave_to_others() {
  if (on_empty_) return finish_drain();
  timer_.expires_after(kWhileDeclining);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && open()) wait();
  });
}

void AcceptTurn::finish_drain() {
  close();
  std::exchange(on_empty_, nullptr)();
}

void AcceptTurn::close() {
  timer_.cancel();
  boost::system::error_code ignored;
  watched_.close(ignored);
  aside_.reset();
}

bool AcceptTurn::connection_waits() const { return net::connection_waits(queue_); }

/// Not all that are there: what has been accepted is served in between, and it may be a sibling's turn by then.
void AcceptTurn::take_turn() {
  Taken taken = take();
  if (taken != Taken::one || entrance_.pool.saturated()) looks_.start_over();  // else it goes on helping out
  for (int more = 1; taken == Taken::one && more < batch() && decide() == Accept::now; ++more) taken = take();
  if (taken == Taken::failed) return;
  if (!on_empty_) return open() ? wait() : void();
  if (taken == Taken::one) return post_ready();
  finish_drain();
}

void AcceptTurn::post_ready() {
  boost::asio::post(entrance_.hub.io, [this] {
    if (open()) on_ready();
  });
}

void AcceptTurn::pause() {
  if (const TimePoint now = Clock::now(); now - last_complaint_ > kComplainEvery) {
    last_complaint_ = now;
    log::error("cannot accept a connection: raise the limit of open files, or lower the load",
               {{"address", address_}, {"error", std::strerror(errno)}});
  }
  timer_.expires_after(kOutOfResources);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !open()) return;
    on_empty_ ? on_ready() : wait();
  });
}

/// What waits for the queue goes on by itself, unless it has found something meanwhile.
void AcceptTurn::release() {
  held_ = false;
  if (std::exchange(ready_, false)) post_ready();
}

void AcceptTurn::drain(std::function<void()> on_empty) {
  on_empty_ = std::move(on_empty);
  timer_.cancel();
  come_back();
  boost::system::error_code ignored;
  watched_.cancel(ignored);
  held_ ? finish_drain() : post_ready();
}

AcceptTurn::Taken ListenerTurn::take() {
  while (true) {
    const Accounting::Taking taking(entrance_.accounting);
    net::Accepted accepted = net::accept_one(queue_);
    switch (accepted.kind) {
      case net::Accepted::Kind::one:
        entrance_.accounting.on_accepted();
        entrance_.descriptors.on_accepted();
        if (entrance_.descriptors.crowded(accepted.connection.get())) entrance_.descriptors.close_idle();
        entrance_.hub.serve(os::off_standard(std::move(accepted.connection)), std::move(accepted.peer));
        return Taken::one;
      case net::Accepted::Kind::none: return Taken::none;
      case net::Accepted::Kind::out_of_resources: {
        const int error = errno;
        if (!connection_waits()) return Taken::none;  // accept(2) wants a descriptor before it looks
        if (entrance_.descriptors.make_room()) continue;
        errno = error;
        pause();
        return Taken::failed;
      }
    }
  }
}

}  // namespace serval::worker::placement
