#include "worker/acceptor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.hpp"
#include "os/own_fds.hpp"

namespace serval::worker {

using namespace std::chrono_literals;

namespace {

/// A worker that is saturated or has no duty leaves connections to its siblings, until it has found one waiting at so many looks in a row: an
/// idle sibling takes one within microseconds, so each time another one would have to be just arriving. All looks together go unnoticed by a client.
constexpr int kLooks = 3;
constexpr auto kBetweenLooks = 2ms;
/// Of those who are far from duty: a hundred workers that were woken by each connection would cost more than the one that takes it.
constexpr auto kFarBetweenLooks = 20ms;
/// Handlers of a stuck worker may still return.
constexpr auto kWhileStuck = 20ms;
/// After accept failed for want of descriptors or memory.
constexpr auto kOutOfResources = 100ms;
constexpr auto kComplainEvery = 5s;

Peer peer_of(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = {};
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return {text, ntohs(v4.sin_port)};
  }
  if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    return {text, ntohs(v6.sin6_port)};
  }
  return {"unix", 0};
}

}  // namespace

Acceptor::Acceptor(Service& service, ipc::Listener listener)
    : service_(service), listener_(std::move(listener)), acceptor_(service.io), timer_(service.io) {
  aside_ = UniqueFd(listener_.fd);
  come_back();
}

void Acceptor::start() { wait(); }

void Acceptor::wait() {
  acceptor_.async_wait(boost::asio::socket_base::wait_read, [this](const boost::system::error_code& error) {
    if (!error && open()) on_ready();
  });
}

/// What is watched wakes this process up for each connection, whether anything waits for it or not.
void Acceptor::step_aside() {
  if (aside_) return;  // a look that was due when the drain began comes in addition to the drain's own
  boost::system::error_code ignored;
  aside_ = UniqueFd(acceptor_.release(ignored));
}

void Acceptor::come_back() {
  if (aside_) acceptor_.assign(Protocol(listener_.local ? AF_UNIX : AF_INET, 0), aside_.release());
}

void Acceptor::on_ready() {
  if (held_) {
    ready_ = true;
    return;
  }
  if (service_.all_stuck()) return leave_to_others();
  if (comes_first()) {
    looks_ = 0;
    return take_turn();
  }
  if (looks_ == kLooks) return take_turn();
  // Whoever waits now has just come if the sibling is at it.
  if (const std::uint64_t done = done_by_sibling(); std::exchange(done_before_, done) != done) looks_ = 0;
  ++looks_;
  step_aside();
  timer_.expires_after(service_.duty.is_far() ? kFarBetweenLooks : kBetweenLooks);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !open()) return;
    come_back();
    if (somebody_waits()) return on_ready();
    looks_ = 0;
    on_empty_ ? take_turn() : wait();
  });
}

bool Acceptor::comes_first() { return !service_.crew.saturated() && (on_empty_ || service_.duty.on(Clock::now())); }

/// Whoever waits would wait in vain here. A worker that drains has a successor by then; else one is on its way.
void Acceptor::leave_to_others() {
  if (on_empty_) return finish_drain();
  timer_.expires_after(kWhileStuck);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && open()) wait();
  });
}

void Acceptor::finish_drain() {
  close();
  std::exchange(on_empty_, nullptr)();
}

void Acceptor::close() {
  timer_.cancel();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  aside_.reset();
}

bool Acceptor::somebody_waits() const {
  pollfd listener{.fd = listener_.fd, .events = POLLIN, .revents = 0};
  return ::poll(&listener, 1, 0) > 0;
}

/// Not all that are there: what has been accepted is served in between, and siblings may have duty by then.
void Acceptor::take_turn() {
  Taken taken = take();
  if (taken != Taken::one || service_.crew.saturated()) looks_ = 0;  // else it goes on helping out
  for (int more = 1; taken == Taken::one && more < most_at_once() && comes_first(); ++more) taken = take();
  if (taken == Taken::failed) return;
  if (!on_empty_) return open() ? wait() : void();
  if (taken == Taken::one) return post_ready();
  finish_drain();
}

void Acceptor::post_ready() {
  boost::asio::post(service_.io, [this] {
    if (open()) on_ready();
  });
}

Acceptor::Taken Acceptor::take() {
  while (true) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const Service::Taking taking(service_);
    UniqueFd fd(::accept4(listener_.fd, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      service_.is_fed();
      if (service_.crowded(fd.get())) service_.make_room();
      service_.adopt(os::off_standard(std::move(fd)), peer_of(from));
      return Taken::one;
    }
    switch (errno) {
      case EINTR:
      case ECONNABORTED:  // that client left; accept(2)
      case EPROTO:
        continue;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        if (!somebody_waits()) return Taken::none;  // accept(2) wants a descriptor before it looks
        if (make_room()) continue;
        pause();
        return Taken::failed;
      default:  // EAGAIN; EINVAL once a unix listener refuses new connections
        return Taken::none;
    }
  }
}

bool Acceptor::make_room() { return service_.make_room() > 0 || service_.starves(); }

void Acceptor::pause() {
  if (const TimePoint now = Clock::now(); now - last_complaint_ > kComplainEvery) {
    last_complaint_ = now;
    log::error("cannot accept a connection: raise the limit of open files, or lower the load",
               {{"address", listener_.address}, {"error", std::strerror(errno)}});
  }
  timer_.expires_after(kOutOfResources);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !open()) return;
    on_empty_ ? on_ready() : wait();
  });
}

/// What waits for the listener goes on by itself, unless it has found somebody meanwhile.
void Acceptor::release() {
  held_ = false;
  if (std::exchange(ready_, false)) post_ready();
}

void Acceptor::drain(std::function<void()> on_empty) {
  on_empty_ = std::move(on_empty);
  timer_.cancel();
  come_back();
  boost::system::error_code ignored;
  acceptor_.cancel(ignored);
  held_ ? finish_drain() : post_ready();
}

}  // namespace serval::worker
