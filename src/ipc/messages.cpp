#include "ipc/messages.hpp"

#include <algorithm>

namespace serval::ipc {

Message with_text(Message message, std::string_view text) {
  const std::size_t size = std::min(text.size(), sizeof message.text);
  text.copy(message.text, size);
  message.text_size = static_cast<std::uint32_t>(size);
  return message;
}

std::string text_of(const Message& message) {
  return {message.text, std::min<std::size_t>(message.text_size, sizeof message.text)};
}

}  // namespace serval::ipc
