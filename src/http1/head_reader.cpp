#include "http1/head_reader.hpp"

#include <algorithm>

#include "http/ascii.hpp"
#include "http/target.hpp"

namespace serval::http1 {
namespace {

constexpr std::size_t kMaxMethod = 32;  // the longest registered one has 17 bytes
constexpr std::string_view kVersion = "HTTP/";
constexpr std::string_view kUsualVersion = "HTTP/1.1\r";
constexpr std::size_t kVersionSize = 8;

/// `get` for GET: one reader may take it for the method it resembles, another not.
bool is_misspelt_standard_method(std::string_view method) {
  if (method == "GET" || method == "POST") return false;  // nearly all are
  for (const std::string_view standard :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}) {
    if (http::equal_names(method, standard)) return method != standard;
  }
  return false;
}

/// As substr() of a place that is known to be there: that looks whether it is, each time.
std::string_view part(std::string_view bytes, std::size_t at, std::size_t size) { return {bytes.data() + at, size}; }

}  // namespace

void HeadReader::reset() {
  state_ = State::method;
  at_ = 0;
  start_ = 0;
  line_known_ = false;
  fields_.clear();
  rules_ = FieldRules{};
  request_ = http::Request{};
  wire_ = Wire{};
  refusal_ = http::Refusal{};
}

/// The caller's buffer has moved: the fields found so far move along.
void HeadReader::follow(const char* base) {
  const std::uintptr_t old = base_;
  base_ = reinterpret_cast<std::uintptr_t>(base);
  const auto moved = [&](std::string_view view) {
    return std::string_view(base + (reinterpret_cast<std::uintptr_t>(view.data()) - old), view.size());
  };
  for (http::Field& field : fields_) field = {moved(field.name), moved(field.value)};
  if (state_ == State::value_start || state_ == State::value) name_ = moved(name_);
}

HeadReader::Step HeadReader::read(std::string_view bytes) {
  if (base_ != reinterpret_cast<std::uintptr_t>(bytes.data())) follow(bytes.data());
  const std::string_view window = bytes.substr(0, limits_.max_header);
  while (at_ < window.size() && !ended()) state_ = step(window);
  if (!ended() && at_ >= limits_.max_header) state_ = refuse({431, "the request's head is beyond the limit"});
  if (state_ == State::complete) return Step::complete;
  if (state_ == State::refused) {
    show_line(window);
    return Step::refused;
  }
  hide_line();
  return Step::need_more;
}

HeadReader::State HeadReader::refuse(http::Refusal refusal) {
  refusal_ = refusal;
  return State::refused;
}

HeadReader::State HeadReader::step(std::string_view bytes) {
  switch (state_) {
    case State::method: return read_method(bytes);
    case State::target: return read_target(bytes);
    case State::version: return read_version(bytes);
    case State::line_end: return read_line_end(bytes);
    case State::field_start: return read_field_start(bytes);
    case State::name: return read_name(bytes);
    case State::value_start: return read_value_start(bytes);
    case State::value: return read_value(bytes);
    case State::value_end: return read_value_end(bytes);
    case State::last_end: return read_last_end(bytes);
    case State::complete:
    case State::refused: break;
  }
  return state_;
}

HeadReader::State HeadReader::read_method(std::string_view bytes) {
  const std::size_t end = std::min(bytes.size(), kMaxMethod + 1);
  while (at_ < end && http::ascii::is(bytes[at_], http::ascii::token)) ++at_;
  if (at_ > kMaxMethod) return refuse({501, "the method is longer than any known one"});
  if (at_ == bytes.size()) return State::method;
  if (bytes[at_] != ' ' || at_ == 0) return refuse({400, "the request line does not start with a method"});
  method_size_ = at_;
  start_ = ++at_;
  return State::target;
}

HeadReader::State HeadReader::read_target(std::string_view bytes) {
  const std::size_t end = std::min(bytes.size(), start_ + limits_.max_target + 1);
  while (at_ < end && http::ascii::is(bytes[at_], http::ascii::target)) ++at_;
  target_size_ = at_ - start_;
  if (target_size_ > limits_.max_target) return refuse({414, "the target is beyond the limit"});
  if (at_ == bytes.size()) return State::target;
  if (bytes[at_] == '\r' && target_size_ > 0 && bytes[start_] == '/')
    return refuse({505, "a request line without a version"});
  if (bytes[at_] != ' ') return refuse({400, "a byte that may not stand in a target"});
  if (target_size_ == 0) return refuse({400, "no target, or more than one space before it"});
  start_ = ++at_;
  return State::version;
}

HeadReader::State HeadReader::read_version(std::string_view bytes) {
  if (at_ == start_ && bytes.size() - at_ > kUsualVersion.size() &&
      part(bytes, at_, kUsualVersion.size()) == kUsualVersion) {
    at_ += kUsualVersion.size();
    return State::line_end;
  }
  for (; at_ < bytes.size(); ++at_) {
    const char byte = bytes[at_];
    const std::size_t index = at_ - start_;
    if (index == kVersionSize) {
      if (byte != '\r') return refuse({400, "the request line does not end after the version"});
      ++at_;
      return State::line_end;
    }
    const bool digit_expected = index == 5 || index == 7;
    const bool fits =
        digit_expected ? http::ascii::is(byte, http::ascii::digit) : byte == (index == 6 ? '.' : kVersion[index]);
    if (!fits) return refuse({400, "the version is malformed"});
  }
  return State::version;
}

HeadReader::State HeadReader::read_line_end(std::string_view bytes) {
  if (bytes[at_] != '\n') return refuse({400, "a CR without LF"});
  const std::string_view version = part(bytes, start_, kVersionSize);
  if (version[5] != '1') return refuse({505, "only HTTP/1.0 and HTTP/1.1 are served"});
  const std::string_view method = part(bytes, 0, method_size_);
  if (is_misspelt_standard_method(method)) return refuse({501, "methods are case-sensitive"});
  request_.method = method;
  request_.target = part(bytes, method_size_ + 1, target_size_);
  request_.version.minor = version.back() == '0' ? 0 : 1;
  request_.version.received_minor = version.back() - '0';
  line_known_ = true;
  if (auto refusal = http::split_target(request_)) return refuse(*refusal);
  ++at_;
  return State::field_start;
}

HeadReader::State HeadReader::read_field_start(std::string_view bytes) {
  const char byte = bytes[at_];
  if (byte == '\r') {
    ++at_;
    return State::last_end;
  }
  if (byte == ' ' || byte == '\t') return refuse({400, "a folded field line, or white space before the first field"});
  if (fields_.size() == limits_.max_headers) return refuse({431, "more header fields than the limit"});
  start_ = at_;
  odd_name_ = false;
  return read_name(bytes);
}

HeadReader::State HeadReader::read_name(std::string_view bytes) {
  std::uint8_t seen = 0;
  std::size_t at = at_;
  for (; at < bytes.size(); ++at) {
    const std::uint8_t classes = http::ascii::classes_of(bytes[at]);
    if ((classes & http::ascii::token) == 0) break;
    seen |= classes;
  }
  at_ = at;
  odd_name_ = odd_name_ || (seen & http::ascii::underscore) != 0;
  if (at == bytes.size()) return State::name;
  if (bytes[at] != ':') {
    const bool space = (bytes[at] == ' ' || bytes[at] == '\t') && at > start_;
    return refuse(
        {400, space ? "space before the colon of a header field" : "a byte that may not stand in a field name"});
  }
  if (at == start_) return refuse({400, "a header field without a name"});
  name_ = part(bytes, start_, at - start_);
  return ++at_ == bytes.size() ? State::value_start : read_value_start(bytes);
}

HeadReader::State HeadReader::read_value_start(std::string_view bytes) {
  while (bytes[at_] == ' ' || bytes[at_] == '\t') {
    if (++at_ == bytes.size()) return State::value_start;
  }
  start_ = at_;
  return read_value(bytes);
}

HeadReader::State HeadReader::read_value(std::string_view bytes) {
  const char* const end = bytes.data() + bytes.size();
  const char* const stop = http::ascii::skip_value(bytes.data() + at_, end);
  at_ = static_cast<std::size_t>(stop - bytes.data());
  if (stop == end) return State::value;
  if (*stop == '\n') return refuse({400, "a bare LF in the head"});
  if (*stop != '\r') return refuse({400, "a control byte in a field value"});
  const std::string_view value = http::ascii::trim(part(bytes, start_, at_ - start_));
  fields_.push_back({name_, value});
  return ++at_ == bytes.size() ? State::value_end : read_value_end(bytes);
}

HeadReader::State HeadReader::read_value_end(std::string_view bytes) {
  if (bytes[at_] != '\n') return refuse({400, "a CR without LF"});
  if (auto refusal = rules_.see(fields_.back(), odd_name_)) return refuse(*refusal);
  ++at_;
  return State::field_start;
}

HeadReader::State HeadReader::read_last_end(std::string_view bytes) {
  if (bytes[at_] != '\n') return refuse({400, "a CR without LF"});
  ++at_;
  return finish(bytes);
}

/// While the head is incomplete the bytes may move, and nobody shall look at the old place.
void HeadReader::hide_line() {
  request_.method = request_.target = request_.path = request_.query = request_.host = {};
}

/// Makes the views of the request line again if they were hidden. It was not refused then, so it is not now.
void HeadReader::show_line(std::string_view bytes) {
  if (!line_known_ || !request_.method.empty()) return;
  request_.method = part(bytes, 0, method_size_);
  request_.target = part(bytes, method_size_ + 1, target_size_);
  static_cast<void>(http::split_target(request_));
}

HeadReader::State HeadReader::finish(std::string_view bytes) {
  show_line(bytes);
  request_.fields = fields_;
  if (auto refusal = rules_.finish(request_, wire_, limits_.max_body)) return refuse(*refusal);
  return State::complete;
}

}  // namespace serval::http1
