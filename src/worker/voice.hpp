#pragma once

#include "ipc/messages.hpp"
#include "worker/outbox.hpp"

namespace serval::worker {

/// Who a message comes from, as this process knows itself.
struct Sender {
  int seat;
  int generation;
};
/// With the name of the sender.
ipc::Packet packet_from(const Sender& sender, const ipc::FromWorker& message);

/// What a worker says to the master. Loop only. Borrows the channel, which must not be moved meanwhile.
class Voice {
 public:
  Voice(boost::asio::io_context& io, ipc::Channel& channel, const Sender& sender)
      : sender_(sender), outbox_(io, channel) {}

  /// False if the master is gone, or reads nothing; of stacks also if there is no room just now.
  bool say(const ipc::FromWorker& message);
  /// Before the process ends: waits for as long until all of it is said. False: something is left.
  bool finish(Duration patience) { return outbox_.finish(patience); }
  ipc::Packet packet_of(const ipc::FromWorker& message) const { return packet_from(sender_, message); }

 private:
  const Sender sender_;
  Outbox outbox_;
};

}  // namespace serval::worker
