#include "worker/descriptors.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "os/own_fds.hpp"
#include "worker/room.hpp"

namespace serval::worker {

namespace {

/// A worker that has had no descriptor for a newcomer for this long, nor an idle connection to close for one, will not
/// get any better.
constexpr auto kStarvationTimeout = std::chrono::seconds(10);

UniqueFd spare_descriptor() { return os::among_own(UniqueFd(::open("/", O_PATH | O_CLOEXEC))); }

}  // namespace

Descriptors::Descriptors(boost::asio::io_context& io, server::Hub& hub,
                         std::function<void(const std::string& why)> on_starved)
    : hub_(hub),
      on_starved_(std::move(on_starved)),
      limit_(os::fd_limit()),
      crowded_from_(worker::crowded_from(limit_)),
      reserve_(spare_descriptor()),
      closed_for_room_(io, [this](std::uint64_t count) {
        return log::write(log::Level::warning,
                          "idle connections are closed to make room: raise the limit of open files",
                          {{"closed", count}, {"connections", hub_.connections().size()}, {"limit", limit_}});
      }) {}

std::size_t Descriptors::close_idle() {
  std::vector<server::Connection*> idle;
  for (server::Connection& connection : hub_.connections()) {
    if (connection.rests()) idle.push_back(&connection);
  }
  const std::size_t count = to_close(idle.size());
  const auto sooner = [](const server::Connection* a, const server::Connection* b) {
    return a->history().last_activity < b->history().last_activity;
  };
  std::partial_sort(idle.begin(), idle.begin() + static_cast<std::ptrdiff_t>(count), idle.end(), sooner);
  for (std::size_t i = 0; i < count; ++i) idle[i]->close();
  if (count > 0) closed_for_room_.add(count);
  return count;
}

bool Descriptors::make_room() { return close_idle() > 0 || use_reserve(); }

/// A worker that drains has to come to an end; any other one can wait for better times.
bool Descriptors::use_reserve() {
  if (hub_.farewell.draining && reserve_) {
    reserve_.reset();
    return true;
  }
  starve();
  return false;
}

void Descriptors::starve() {
  const TimePoint now = Clock::now();
  starving_since_ = std::min(starving_since_, now);
  if (now - starving_since_ < kStarvationTimeout || std::exchange(told_starved_, true)) return;
  on_starved_("no descriptor is left for connections, of " + std::to_string(limit_) + " (RLIMIT_NOFILE)");
}

void Descriptors::on_closed() {
  if (hub_.farewell.draining && !reserve_) reserve_ = spare_descriptor();
}

}  // namespace serval::worker
