#pragma once

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http1/session.hpp"

/// Scripts for a session: `s.at(9s).bytes("GET / HT").needs(input(10s))`. Times are since the connection was accepted.
namespace serval::http1::test {

using namespace std::chrono_literals;
using Kind = http::Session::Event::Kind;
using Needs = http::Session::Needs;

inline constexpr TimePoint kBegin = TimePoint{} + 1000h;

inline Needs nothing() { return {}; }
inline Needs input_without_limit() { return {.input = true}; }
inline Needs input(Clock::duration deadline) { return {.input = true, .deadline = kBegin + deadline}; }
inline Needs linger(Clock::duration deadline) {
  return {.input = true, .half_close = true, .deadline = kBegin + deadline};
}
inline Needs output(Clock::duration deadline) { return {.deadline = kBegin + deadline}; }
inline Needs close() { return {.close = true}; }

/// Plays the owner of one session, whose requests' bodies it gathers.
class Script final : private http::Streams, private http::StreamOwner {
 public:
  explicit Script(const http::Timeouts& limits = {},
                  const http::History& before = {.accepted = kBegin, .last_activity = kBegin},
                  std::string_view unread = {}, Clock::duration now = 0s, bool goodbye = false)
      : timeouts_(limits), now_(kBegin + now) {
    farewell_.draining = farewell_.goodbye = goodbye;
    session_ = std::make_unique<Session>(timeouts_, farewell_, static_cast<http::Streams&>(*this), before, now_);
    if (!unread.empty()) session_->put(unread);
  }

  Script& at(Clock::duration time) {
    now_ = kBegin + time;
    return *this;
  }

  // ---- What happens. Each remembers the event it brings.
  Script& bytes(std::string_view text) {
    while (!text.empty()) {
      InputBuffer& in = session_->make_room();
      const std::size_t size = std::min(text.size(), in.free_size());
      text.copy(in.free_space(), size);
      session_->on_input(size, now_);
      text.remove_prefix(size);
      next();
      if (event_.kind == Kind::none) continue;
      EXPECT_TRUE(text.empty()) << "the rest is shown too late";
      break;
    }
    return *this;
  }
  Script& next() { return remember(session_->next(out_)); }
  Script& end_of_input() { return remember(session_->on_end_of_input(now_)); }
  Script& deadline() { return remember(session_->on_deadline(now_)); }
  Script& refuse(const http::Refusal& refusal) { return remember(session_->refuse(refusal)); }
  /// The request is answered, and the answer is out at once.
  Script& answered() { return answer().drained(); }
  Script& answer() {
    session_->on_answer(message_->last || refused_);
    return *this;
  }
  Script& given_up() {
    session_->on_given_up();
    return *this;
  }
  Script& blocked() {
    session_->on_output_blocked(now_);
    return *this;
  }
  Script& drained() {
    session_->on_output_drained(now_);
    return *this;
  }
  Script& resumed() {
    session_->on_resumed(now_);
    return *this;
  }
  Script& closed() {
    session_->on_closed();
    return *this;
  }
  Script& farewell(bool goodbye) {
    farewell_.draining = true;
    farewell_.goodbye = goodbye;
    session_->on_farewell(now_);
    return *this;
  }

  // ---- What is expected.
  Script& needs(const Needs& wanted) {
    const Needs is = session_->needs();
    EXPECT_EQ(is.input, wanted.input);
    EXPECT_EQ(is.half_close, wanted.half_close);
    EXPECT_EQ(is.close, wanted.close);
    EXPECT_EQ((is.deadline - kBegin) / 1ms, (wanted.deadline - kBegin) / 1ms);
    return *this;
  }
  Script& no_event() {
    EXPECT_EQ(event_.kind, Kind::none);
    return *this;
  }
  Script& request(std::string_view target, std::string_view body = {}) {
    EXPECT_EQ(event_.kind, Kind::request);
    if (event_.kind != Kind::request) return *this;
    EXPECT_EQ(event_.stream, message_.get());
    EXPECT_EQ(event_.stream->request.target, target);
    EXPECT_EQ(body_, body);
    return *this;
  }
  Script& last(bool wanted) {
    EXPECT_EQ(message_->last, wanted);
    return *this;
  }
  Script& refused(int status, bool timed_out = false) {
    EXPECT_EQ(event_.kind, Kind::refused);
    if (event_.kind != Kind::refused) return *this;
    EXPECT_EQ(event_.refusal->status, status) << event_.refusal->reason;
    EXPECT_EQ(event_.timed_out, timed_out);
    return *this;
  }
  Script& gone(bool timed_out = false) {
    EXPECT_EQ(event_.kind, Kind::gone);
    EXPECT_EQ(event_.timed_out, timed_out);
    return *this;
  }
  Script& idle(bool wanted = true) {
    EXPECT_EQ(session_->needs().idle, wanted);
    return *this;
  }
  Script& has_request(bool wanted = true) {
    EXPECT_EQ(session_->has_request(), wanted);
    return *this;
  }
  Script& wrote(std::string_view wanted) {
    std::string all;
    iovec room[8];
    for (const iovec& piece : out_.front(room)) all.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    out_.clear();
    EXPECT_EQ(all, wanted);
    return *this;
  }

  http::History history() const { return session_->history(); }
  std::string bytes_again() const {
    std::string memory;
    return std::string(session_->bytes_again(*message_, body_, memory));
  }
  std::size_t idle_memory() { return session_->input().capacity(); }
  const http::Session::Event& event() const { return event_; }
  int under_way() const { return under_way_; }
  http::Session& session() { return *session_; }
  const std::string& body() const { return body_; }
  std::string spelt(const http::ResponseHead& head) const {
    std::string out;
    message_->spell(out, head, "D");
    return out;
  }

 private:
  Script& remember(const http::Session::Event& event) {
    event_ = event;
    refused_ = refused_ || event.kind == Kind::refused;
    return *this;
  }

  http::Stream& begin(TimePoint first_byte) override {
    EXPECT_EQ(under_way_++, 0) << "one request at a time";
    EXPECT_LE(first_byte, now_);
    message_ = std::make_unique<Message>(limits_);
    message_->owner = this;
    body_.clear();
    return *message_;
  }
  void end(http::Stream& stream) override {
    EXPECT_EQ(&stream, message_.get());
    --under_way_;
    message_.reset();
  }
  void on_body(std::string_view piece) override { body_.append(piece); }
  void keep_body() override {}

  const http::Timeouts timeouts_;
  const http::Limits limits_{};
  http::Farewell farewell_;
  TimePoint now_;
  OutputQueue out_;
  std::unique_ptr<Message> message_;
  std::unique_ptr<Session> session_;
  http::Session::Event event_;
  std::string body_;
  int under_way_ = 0;
  bool refused_ = false;

};

}  // namespace serval::http1::test
