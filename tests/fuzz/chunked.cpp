// A chunked body: decoded the same however it is cut, and never more than the limit. Of a request that has a head
// (tests/corpus) the body counts.
#include <string>

#include "fuzz.hpp"
#include "http1/chunked_body.hpp"

namespace serval::fuzz {
namespace {

struct Reading {
  bool ended = false;
  int status = 0;
  std::string reason;
  std::string body;
  std::size_t consumed = 0;  ///< of all bytes, if it ended

  bool operator==(const Reading&) const = default;
};

Reading read(std::string_view bytes, const std::vector<std::size_t>& cuts, const http::Limits& limits) {
  using Step = http1::ChunkedBody::Step;
  http1::ChunkedBody body(limits);
  Reading reading;
  std::size_t at = 0;
  for (const std::size_t cut : cuts) {
    for (bool more = true; more;) {
      const std::string_view shown = bytes.substr(at, cut - at);
      const auto result = body.read(shown);
      SERVAL_CHECK(result.consumed <= shown.size());
      SERVAL_CHECK(is_part_of(result.piece, shown));
      at += result.consumed;
      reading.body += result.piece;
      switch (result.step) {
        case Step::need_more: more = false; break;
        case Step::piece: SERVAL_CHECK(!result.piece.empty()); break;
        case Step::end:
          reading.ended = true;
          reading.consumed = at;
          return reading;
        case Step::refused:
          reading.status = body.refusal().status;
          reading.reason = body.refusal().reason;
          return reading;
      }
    }
    SERVAL_CHECK(at == cut);  // all that is not data is consumed at once, and so is data
  }
  return reading;
}

void check(std::string_view bytes, const http::Limits& limits) {
  std::mt19937 random = random_of(bytes);
  const Reading whole = read(bytes, {bytes.size()}, limits);
  SERVAL_CHECK(read(bytes, random_cuts(bytes.size(), random), limits) == whole || bytes.empty());
  SERVAL_CHECK(whole.body.size() <= limits.max_body);
  if (whole.ended) {  // what follows belongs to the next request, and what stood before says enough
    const std::string_view own = bytes.substr(0, whole.consumed);
    SERVAL_CHECK(read(own, {own.size()}, limits) == whole);
    SERVAL_CHECK(!read(own.substr(0, own.size() - 1), {own.size() - 1}, limits).ended);
  }
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  if (bytes.starts_with("POST ")) bytes.remove_prefix(std::min(bytes.find("\r\n\r\n"), bytes.size() - 4) + 4);
  check(bytes, {});
  check(bytes, {.max_header = 60, .max_headers = 2, .max_body = 20});
}

}  // namespace serval::fuzz
