#include "http/stream.hpp"

#include <vector>

#include "http/response.hpp"

namespace serval::http {

std::size_t spell_error(std::string& out, const Stream& stream, int status, std::string_view reason,
                        std::string_view date, std::string_view request_id) {
  std::string body = std::to_string(status);
  body.append(" ").append(reason_phrase(status));
  if (!reason.empty()) body.append(": ").append(reason);
  body.append("\n");
  std::vector<Field> fields = {{"Content-Type", "text/plain; charset=utf-8"}};
  if (status == 503) fields.push_back({"Retry-After", "1"});
  if (!request_id.empty()) fields.push_back({kRequestIdField, request_id});
  stream.spell(out, {status, fields, body.size(), true}, date);
  if (!carries_body({stream.request.method == "HEAD", status})) return 0;
  out.append(body);
  return body.size();
}

}  // namespace serval::http
