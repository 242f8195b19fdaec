#include "ipc/packet.hpp"

#include <algorithm>

namespace serval::ipc {

Packet with_text(Packet packet, std::string_view text) {
  const std::size_t size = std::min(text.size(), sizeof packet.text);
  text.copy(packet.text, size);
  packet.text_size = static_cast<std::uint32_t>(size);
  return packet;
}

std::string text_of(const Packet& packet) {
  return {packet.text, std::min<std::size_t>(packet.text_size, sizeof packet.text)};
}

}  // namespace serval::ipc
