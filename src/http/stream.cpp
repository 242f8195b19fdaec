#include "http/stream.hpp"

#include "http/response.hpp"

namespace serval::http {

std::size_t spell_error(std::string& out, const Stream& stream, int status, std::string_view reason,
                        std::string_view date) {
  std::string body = std::to_string(status);
  body.append(" ").append(reason_phrase(status));
  if (!reason.empty()) body.append(": ").append(reason);
  body.append("\n");
  const Field fields[] = {{"Content-Type", "text/plain; charset=utf-8"}, {"Retry-After", "1"}};
  stream.spell(out, {status, std::span(fields).first(status == 503 ? 2 : 1), body.size(), true}, date);
  if (!carries_body({stream.request.method == "HEAD", status})) return 0;
  out.append(body);
  return body.size();
}

}  // namespace serval::http
