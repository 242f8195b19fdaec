#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>

#include "base/time.hpp"
#include "ipc/channel.hpp"

namespace serval::worker {

/// What a worker tells the master. The pipe holds some sixteen packets (pipe(7), O_DIRECT), and a master that does not
/// get a CPU reads none: what does not fit waits here, and goes in its order once there is room. Loop only. Borrows the
/// channel, which must not be moved meanwhile.
class Outbox {
 public:
  Outbox(boost::asio::io_context& io, ipc::Channel& channel);
  ~Outbox();

  /// More of them are no backlog any more: the master does not read at all.
  static constexpr std::size_t kMostWaiting = 1024;

  /// False if the master is gone, or reads nothing.
  bool send(const ipc::Packet& packet);
  /// For what is tried again by its sender: also false if there is no room just now.
  bool send_if_room(const ipc::Packet& packet);
  /// Before the process ends: waits for as long for room. False if something has been left unsaid.
  bool finish(Duration patience);

  std::size_t waiting() const { return waiting_.size(); }

 private:
  void send_waiting();
  void wait_for_room();

  ipc::Channel& channel_;
  boost::asio::posix::stream_descriptor room_;
  std::deque<ipc::Packet> waiting_;
};

}  // namespace serval::worker
