#include <algorithm>
#include <utility>

#include "http/date.hpp"
#include "server/connection.hpp"

// A connection's request in hand: to the handler, and what comes of it back to the session.
namespace serval::server {
namespace {

/// nginx's number for "the client was gone before the answer".
constexpr int kClientGone = 499;

}  // namespace

http::Stream& Connection::Request::begin(TimePoint first_byte) {
  exchange = connection_.exchanges_.lend();
  exchange->begin(*this, connection_.peer_.address, connection_.history(), first_byte);
  return *exchange->stream_;
}

void Connection::Request::end(http::Stream&) {
  exchange->output_.take(connection_.output_);  // for its memory
  give_back();
}

void Connection::Request::give_back() {
  if (exchange) connection_.exchanges_.take_back(std::move(exchange));
}

bool Connection::Request::dispatch() {
  const http::History& past = connection_.history();
  exchange->prepare(connection_.peer_, connection_.trusted_, past.requests == 1, connection_.transport_->scheme(),
                    past.last_activity);
  return hand_over();
}

bool Connection::Request::hand_over() {
  Exchange& request = *exchange;
  if (request.body_.fd() >= 0) request.body_.view();  // maps it
  if (request.body_.intact()) {
    request.pending_ = true;
    if (connection_.context_.handler.take(request) == Handler::Taken::pending) return false;
    request.pending_ = false;
  } else {
    request.refuse(500, "the request body could not be stored", http::Outcome::app_failed);
  }
  answer();
  return true;
}

void Connection::Request::take_again() {
  const TimePoint now = Clock::now();
  connection_.session_->on_resumed(now);
  exchange->complete_ = now;
  if (hand_over()) connection_.go_on();
}

void Connection::Request::refuse(const http::Session::Event& event) {
  exchange->refuse(event.refusal->status, event.refusal->reason,
                   event.timed_out ? http::Outcome::timeout : http::Outcome::refused);
  on_refused();
}

void Connection::Request::on_refused() {
  answer();
  connection_.settle();
}

void Connection::Request::on_late_answer() {
  // A client that closed while it waited is most often gone: nginx's 499. It is answered all the same, it may have
  // closed one direction only.
  if (connection_.transport_->peer_has_closed()) exchange->outcome_ = http::Outcome::client_gone;
  answer();
  connection_.context_.handler.on_done();
  connection_.go_on();
}

void Connection::Request::give_up(int status, std::string_view reason, http::Outcome outcome) {
  const std::size_t body = http::spell_error(connection_.output_.own(), *exchange->stream_, status, reason,
                                             http::date_now(), exchange->answered_id());
  over(status, outcome, reason, body, Clock::now());
  exchange.release()->abandon();  // Exchange::done() takes it from here
  connection_.session_->on_given_up();
  connection_.begin_to_write();
  connection_.settle();
}

void Connection::Request::answer() {
  connection_.output_.take(exchange->output_);
  connection_.session_->on_answer(exchange->closes_);
  connection_.begin_to_write();
}

void Connection::Request::abandon() {
  if (exchange && exchange->pending_) exchange.release()->abandon();
}

// ---- How it ended

void Connection::Request::on_written(TimePoint now) {
  if (!exchange) return;
  const bool gone = exchange->outcome_ == http::Outcome::client_gone;
  over(gone ? kClientGone : exchange->status_, exchange->outcome_, gone ? std::string_view() : exchange->reason_,
       exchange->body_out_, now);
}

void Connection::Request::on_gone(bool timed_out, TimePoint now) {
  if (!exchange) return;
  timed_out ? over(exchange->status_, http::Outcome::timeout, exchange->reason_, body_sent(), now)
            : over(kClientGone, http::Outcome::client_gone, exchange->reason_, body_sent(), now);
}

/// While a handler runs, the answer is its own to write.
void Connection::Request::on_cut(TimePoint now) {
  if (!exchange) return;
  exchange->pending_ ? over(0, http::Outcome::cut, {}, 0, now)
                     : over(exchange->status_, http::Outcome::cut, exchange->reason_, body_sent(), now);
}

/// Of the answer's body, which is the last part of what is written.
std::uint64_t Connection::Request::body_sent() const {
  return exchange->body_out_ - std::min<std::uint64_t>(exchange->body_out_, connection_.output_.size());
}

/// Each request is counted and logged once.
void Connection::Request::over(int status, http::Outcome outcome, std::string_view reason, std::uint64_t bytes_out,
                               TimePoint end) {
  if (std::exchange(exchange->over_, true)) return;
  connection_.context_.observer.on_over({*exchange, status, outcome, reason, bytes_out, end});
}

}  // namespace serval::server
