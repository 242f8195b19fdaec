#include "worker/voice.hpp"

#include <unistd.h>

#include <variant>

namespace serval::worker {

ipc::Packet packet_from(const Sender& sender, const ipc::FromWorker& message) {
  ipc::Packet packet = ipc::encode(message);
  packet.slot = sender.seat;
  packet.generation = sender.generation;
  packet.pid = ::getpid();
  return packet;
}

/// Stacks are many, and sent with pauses (worker/stack_reports.hpp).
bool Voice::say(const ipc::FromWorker& message) {
  const bool tried_again =
      std::holds_alternative<ipc::Stack>(message) || std::holds_alternative<ipc::StacksEnd>(message);
  return tried_again ? outbox_.send_if_room(packet_of(message)) : outbox_.send(packet_of(message));
}

}  // namespace serval::worker
