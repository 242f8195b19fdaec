#include "http1/request_parser.hpp"

#include <algorithm>

namespace serval::http1 {
namespace {

// RFC 9112 §2.2: at least one empty line before a request is to be ignored (old clients ended POST bodies with one).
constexpr int kMaxEmptyLines = 4;

}  // namespace

RequestParser::RequestParser(const http::Limits& limits) : reader_(limits), chunked_(limits) {}

void RequestParser::reset() {
  state_ = State::before;
  empty_lines_ = 0;
  reader_.reset();
  chunked_.reset();
  left_ = 0;
  refusal_ = http::Refusal{};
}

RequestParser::Result RequestParser::next(std::string_view unread) {
  switch (state_) {
    case State::before: return skip_empty_lines(unread);
    case State::head: return read_head(unread);
    case State::sized_body: return read_sized_body(unread);
    case State::chunked_body: return read_chunked_body(unread);
    case State::ended: return {Step::end, 0, {}};
    case State::refused: return {Step::refused, 0, {}};
  }
  return {};
}

RequestParser::Result RequestParser::refuse(const http::Refusal& refusal) {
  refusal_ = refusal;
  state_ = State::refused;
  return {Step::refused, 0, {}};
}

RequestParser::Result RequestParser::skip_empty_lines(std::string_view unread) {
  std::size_t skipped = 0;
  while (unread.size() - skipped >= 2 && unread[skipped] == '\r' && unread[skipped + 1] == '\n') {
    if (++empty_lines_ > kMaxEmptyLines) return refuse({400, "empty lines instead of a request"});
    skipped += 2;
  }
  const std::string_view rest = unread.substr(skipped);
  if (rest.empty() || rest == "\r") return {Step::need_more, skipped, {}};
  state_ = State::head;
  Result result = read_head(rest);
  if (result.step != Step::refused) result.consumed += skipped;
  return result;
}

RequestParser::Result RequestParser::read_head(std::string_view unread) {
  switch (reader_.read(unread)) {
    case HeadReader::Step::need_more: return {Step::need_more, 0, {}};
    case HeadReader::Step::refused: return refuse(reader_.refusal());
    case HeadReader::Step::complete: break;
  }
  switch (wire().body) {
    case BodyKind::none: state_ = State::ended; break;
    case BodyKind::sized:
      left_ = wire().content_length;
      state_ = left_ == 0 ? State::ended : State::sized_body;
      break;
    case BodyKind::chunked: state_ = State::chunked_body; break;
  }
  return {Step::head, reader_.size(), {}};
}

RequestParser::Result RequestParser::read_sized_body(std::string_view unread) {
  if (unread.empty()) return {Step::need_more, 0, {}};
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, unread.size()));
  left_ -= size;
  if (left_ == 0) state_ = State::ended;
  return {Step::body, size, unread.substr(0, size)};
}

RequestParser::Result RequestParser::read_chunked_body(std::string_view unread) {
  const ChunkedBody::Result result = chunked_.read(unread);
  switch (result.step) {
    case ChunkedBody::Step::need_more: break;
    case ChunkedBody::Step::piece: return {Step::body, result.consumed, result.piece};
    case ChunkedBody::Step::end: state_ = State::ended; return {Step::end, result.consumed, {}};
    case ChunkedBody::Step::refused: return refuse(chunked_.refusal());
  }
  return {Step::need_more, result.consumed, {}};
}

}  // namespace serval::http1
