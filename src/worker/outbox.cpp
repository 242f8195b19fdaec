#include "worker/outbox.hpp"

#include <poll.h>

#include <cerrno>

namespace serval::worker {

namespace {

bool full(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

Outbox::Outbox(boost::asio::io_context& io, ipc::Channel& channel) : channel_(channel), room_(io, channel.out_fd()) {}

/// The descriptor is the channel's.
Outbox::~Outbox() { room_.release(); }

bool Outbox::send(const ipc::Packet& packet) {
  if (waiting_.empty()) {
    if (channel_.send(packet)) return true;
    if (!full(errno)) return false;
  }
  if (waiting_.size() >= kMostWaiting) return false;
  waiting_.push_back(packet);
  if (waiting_.size() == 1) wait_for_room();
  return true;
}

bool Outbox::send_if_room(const ipc::Packet& packet) { return waiting_.empty() && channel_.send(packet); }

void Outbox::wait_for_room() {
  room_.async_wait(boost::asio::posix::stream_descriptor::wait_write, [this](const boost::system::error_code& error) {
    if (error) return;
    send_waiting();
    if (!waiting_.empty()) wait_for_room();
  });
}

void Outbox::send_waiting() {
  while (!waiting_.empty()) {
    if (channel_.send(waiting_.front())) {
      waiting_.pop_front();
    } else if (full(errno)) {
      return;
    } else {
      waiting_.clear();  // no process is left to read it
    }
  }
}

bool Outbox::finish(Duration patience) {
  const TimePoint deadline = Clock::now() + patience;
  for (send_waiting(); !waiting_.empty(); send_waiting()) {
    const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
    pollfd room = {channel_.out_fd(), POLLOUT, 0};
    if (left <= Duration::zero() || ::poll(&room, 1, static_cast<int>(left.count())) == 0) return false;
  }
  return true;
}

}  // namespace serval::worker
