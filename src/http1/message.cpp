#include "http1/message.hpp"

namespace serval::http1 {

void Message::spell(std::string& out, const http::ResponseHead& head, std::string_view date) const {
  const int minor = request.version.minor;
  const Framing framing{.head_request = request.method == "HEAD",
                        .minor_version = minor,
                        .asked_keep_alive_1_0 = minor == 0 && parser.wire().keep_alive};
  append_head(out, framing, head, date);
}

std::string_view Message::received() const { return head_size > 0 ? input.since(head_at) : input.unread(); }

void Message::reset() {
  parser.reset();
  input.clear(0);
  body_input.clear(0);
  body_apart = false;
  head_at = head_size = 0;
  body_bytes = 0;
  last = false;
}

}  // namespace serval::http1
