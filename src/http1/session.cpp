#include "http1/session.hpp"

#include <algorithm>
#include <utility>

namespace serval::http1 {

using namespace std::chrono_literals;
using Kind = http::Session::Event::Kind;

namespace {

/// What an idle connection keeps; most heads fit.
constexpr std::size_t kHeadBuffer = 2 * 1024;
constexpr std::size_t kBodyBuffer = 32 * 1024;
/// At a goodbye a client that was just active may have its next request on the way; it is answered if it comes within
/// kLastCall.
constexpr auto kRecentlyActive = 1s;
constexpr auto kLastCall = 300ms;
/// And one that has begun to send a head finishes it within this time: a client that trickles, or has stopped, would
/// hold up the end.
constexpr auto kLastHead = 2s;
/// How long a client has to take notice that we are done (nginx: lingering_timeout).
constexpr auto kLinger = 5s;
constexpr auto kLingerDraining = 1s;

constexpr http::Refusal kHeadTooLate{408, "the request head did not come in time"};
constexpr http::Refusal kBodyTooLate{408, "the request body did not come in time"};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// The head stays where it is.
void read_body_apart(Message& message) {
  if (message.body_apart) return;
  InputBuffer& in = message.input;
  message.body_input.assign(in.unread(), kBodyBuffer);
  in.consume(in.unread().size());
  message.body_apart = true;
}

}  // namespace

Session::Session(const http::Timeouts& timeouts, const http::Farewell& farewell, http::Streams& streams,
                 const http::History& history, TimePoint now)
    : timeouts_(timeouts),
      farewell_(farewell),
      streams_(streams),
      history_(history),
      state_(history.requests > 0 ? State::idle : State::fresh) {
  // One that was kept alive elsewhere, and would not be here, has a request to come all the same.
  const bool keeps_alive = state_ == State::idle && timeouts_.keep_alive.count() > 0;
  const TimePoint since = state_ == State::idle ? history_.last_activity : history_.accepted;
  const TimePoint last_call = farewell_.goodbye ? now + kLastCall : TimePoint::max();
  deadline_ = std::min(last_call, http::deadline_after(since, keeps_alive ? timeouts_.keep_alive : timeouts_.header));
}

void Session::put(std::string_view unread) { input_.assign(unread, kHeadBuffer); }

/// The only place where the state changes.
void Session::enter(State state, TimePoint deadline) {
  state_ = state;
  deadline_ = deadline;
}

bool Session::reads_request() const {
  switch (state_) {
    case State::fresh:
    case State::idle:
    case State::head:
    case State::body: return true;
    case State::handling:
    case State::answering:
    case State::lingering:
    case State::closed: return false;
  }
  return false;
}

bool Session::has_request() const {
  switch (state_) {
    case State::head:
    case State::body:
    case State::handling:
    case State::answering: return true;
    case State::fresh:
    case State::idle:
    case State::lingering:
    case State::closed: return false;
  }
  return false;
}

bool Session::idle() const { return (state_ == State::fresh || state_ == State::idle) && input_.unread().empty(); }

http::Session::Needs Session::needs() const {
  return {.input = reads_request() || state_ == State::lingering,
          .idle = idle(),
          .half_close = state_ == State::lingering,
          .close = state_ == State::closed,
          .deadline = deadline_};
}

// ---- Reading

InputBuffer& Session::make_room() {
  InputBuffer& in = input();
  in.make_room(message_ != nullptr && message_->body_apart ? kBodyBuffer : kHeadBuffer);
  return in;
}

void Session::on_input(std::size_t count, TimePoint now) {
  if (!reads_request()) return;  // lingering: the next bytes are read over them
  history_.untouched = false;
  history_.last_activity = now;
  input().commit(count);
}

http::Session::Event Session::next(OutputQueue& out) {
  while (reads_request()) {
    if (message_ == nullptr) {
      if (input_.unread().empty()) return {};
      begin_message();
    }
    InputBuffer& in = message_->unread();
    const RequestParser::Result result = message_->parser.next(in.unread());
    in.consume(result.consumed);
    switch (result.step) {
      case RequestParser::Step::need_more: want_more(); return {};
      case RequestParser::Step::head: on_head(result.consumed, out); break;
      case RequestParser::Step::body: on_body(result.body); break;
      case RequestParser::Step::end: return complete();
      case RequestParser::Step::refused: return refuse_with(message_->parser.refusal(), false);
    }
  }
  return {};
}

void Session::begin_message() {
  message_ = &static_cast<Message&>(streams_.begin(history_.last_activity));
  message_->first_byte = history_.last_activity;
  std::swap(message_->input, input_);
}

void Session::on_head(std::size_t size, OutputQueue& out) {
  const Wire& wire = message_->parser.wire();
  message_->head_at = message_->input.position() - size;
  message_->head_size = size;
  body_begin_ = history_.last_activity;
  enter(State::body, deadline_);
  if (wire.expect_continue && message_->input.unread().empty()) out.own().append(kContinue);
}

void Session::on_body(std::string_view piece) {
  message_->body_bytes += piece.size();
  message_->owner->on_body(piece);
}

/// The request is not complete.
void Session::want_more() {
  if (state_ == State::body) {
    message_->owner->keep_body();
    read_body_apart(*message_);
    return enter(State::body,
                 http::body_deadline({body_begin_, history_.last_activity, message_->body_bytes}, timeouts_));
  }
  if (state_ == State::head) return;
  // A connection's first head is due from the moment it was accepted.
  const TimePoint due =
      http::deadline_after(state_ == State::fresh ? history_.accepted : message_->first_byte, timeouts_.header);
  enter(State::head, farewell_.goodbye ? std::min(due, history_.last_activity + kLastHead) : due);
}

http::Session::Event Session::complete() {
  ++history_.requests;
  message_->last = !message_->parser.wire().keep_alive || timeouts_.keep_alive.count() == 0 ||
                   (timeouts_.keep_alive_requests > 0 && history_.requests >= timeouts_.keep_alive_requests);
  enter(State::handling, TimePoint::max());
  return {.kind = Kind::request, .stream = message_};
}

http::Session::Event Session::refuse(const http::Refusal& refusal) {
  if (message_ == nullptr) begin_message();
  return refuse_with(refusal, false);
}

http::Session::Event Session::refuse_with(const http::Refusal& refusal, bool timed_out) {
  enter(State::handling, TimePoint::max());
  return {.kind = Kind::refused, .stream = message_, .refusal = &refusal, .timed_out = timed_out};
}

http::Session::Event Session::on_end_of_input(TimePoint now) {
  history_.last_activity = now;
  const bool asked = reads_request() && message_ != nullptr && message_->parser.started();
  enter(State::closed, TimePoint::max());
  return {.kind = asked ? Kind::gone : Kind::none, .stream = message_};
}

std::string_view Session::bytes_again(const http::Stream& stream, std::string_view body, std::string& memory) const {
  const auto& message = static_cast<const Message&>(stream);
  const std::string_view request = message.input.since(message.head_at);
  if (!message.body_apart) return request;
  // The bytes of the body are where they were read to; those of a chunked one are gone.
  if (message.parser.wire().body != BodyKind::sized) return {};
  memory.assign(request.substr(0, message.head_size)).append(body).append(message.body_input.unread());
  return memory;
}

// ---- Answering

void Session::on_answer(bool closes) {
  closes_ = closes;
  enter(State::answering, TimePoint::max());
}

void Session::on_given_up() {
  message_ = nullptr;
  on_answer(true);
}

/// Of an interim answer nothing is due: its request is still being read.
void Session::on_output_blocked(TimePoint now) {
  if (state_ == State::answering) enter(State::answering, http::deadline_after(now, timeouts_.write));
}

void Session::on_output_drained(TimePoint now) {
  if (state_ != State::answering) return;
  history_.last_activity = now;
  if (!closes_) return next_request(now);
  enter(State::lingering, now + (farewell_.draining ? kLingerDraining : kLinger));
}

void Session::next_request(TimePoint now) {
  std::swap(input_, message_->unread());
  streams_.end(*std::exchange(message_, nullptr));
  if (input_.unread().empty()) input_.clear(kHeadBuffer);
  enter(State::idle, farewell_.goodbye ? now + kLastCall
                                       : http::deadline_after(history_.last_activity, timeouts_.keep_alive));
}

// ---- Deadlines, farewell

http::Session::Event Session::on_deadline(TimePoint now) {
  switch (state_) {
    case State::fresh:
    case State::idle:
    case State::lingering: enter(State::closed, TimePoint::max()); return {};
    case State::head: history_.last_activity = now; return refuse_with(kHeadTooLate, true);
    case State::body: history_.last_activity = now; return refuse_with(kBodyTooLate, true);
    case State::answering:
      history_.last_activity = now;
      enter(State::closed, TimePoint::max());
      return {.kind = Kind::gone, .stream = message_, .timed_out = true};
    case State::handling:
    case State::closed: return {};
  }
  return {};
}

void Session::on_farewell(TimePoint now) {
  if (!farewell_.goodbye) return;
  if (state_ == State::head) return enter(State::head, std::min(deadline_, now + kLastHead));
  if (state_ != State::fresh && state_ != State::idle) return;  // what it has is answered first
  if (now - history_.last_activity > kRecentlyActive) return enter(State::closed, TimePoint::max());
  enter(state_, now + kLastCall);
}

}  // namespace serval::http1
