#include "admin/front.hpp"

#include <algorithm>
#include <utility>

#include "net/accept.hpp"

namespace serval::admin {
namespace {

constexpr std::size_t kMaxConnections = 256;

}  // namespace

void Front::start(const std::vector<ipc::Listener>& listeners) {
  for (const ipc::Listener& listener : listeners)
    listen(doors_.emplace_back(boost::asio::posix::stream_descriptor(io_, listener.fd)));
}

void Front::stop() { doors_.clear(); }

void Front::on_room() {
  for (Door& door : doors_) listen(door);
}

void Front::listen(Door& door) {
  if (std::exchange(door.waiting, true)) return;
  door.descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, &door](const auto& error) {
    if (error) return;  // the door is gone
    door.waiting = false;
    accept(door);
  });
}

void Front::accept(Door& door) {
  if (!has_room()) return;  // until one goes
  net::Accepted accepted = net::accept_one(door.descriptor.native_handle());
  if (accepted.kind == net::Accepted::Kind::one) {
    hub_.serve(std::move(accepted.connection), std::move(accepted.peer));
  } else if (accepted.kind == net::Accepted::Kind::out_of_resources) {
    return;  // likewise: there are connections, or there would be descriptors
  }
  listen(door);
}

/// Closing takes a moment: on_room() follows.
bool Front::has_room() {
  auto& all = hub_.connections();
  if (all.size() < kMaxConnections) return true;
  const auto idle = std::find_if(all.begin(), all.end(), [](const server::Connection& one) { return one.rests(); });
  if (idle != all.end()) idle->close();
  return false;
}

}  // namespace serval::admin
