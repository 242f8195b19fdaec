#include "server/connection.hpp"

#include <algorithm>
#include <utility>

#include "http/date.hpp"
#include "net/proxy_protocol.hpp"
#include "server/protocol.hpp"

namespace serval::server {

using Kind = http::Session::Event::Kind;

namespace {

/// Pipelined requests served before other connections get their turn.
constexpr int kBurst = 16;
/// nginx's number for "the client was gone before the answer".
constexpr int kClientGone = 499;

}  // namespace

Connection::Connection(const Surroundings& surroundings, UniqueFd fd, net::Peer peer, const http::History& history,
                       std::string_view unread)
    : context_(surroundings.context),
      exchanges_(surroundings.exchanges),
      owner_(surroundings.owner),
      socket_(context_.io, std::move(fd), peer.address == "unix", *this),
      transport_(net::plain_transport(socket_.fd())),
      peer_(std::move(peer)),
      session_(make_session(context_, *this, history, unread)),
      trusted_(context_.settings.is_trusted(peer_.address)),
      proxy_header_due_(context_.settings.proxy_protocol && trusted_ && history.untouched) {}

Connection::~Connection() = default;

void Connection::start() { session_->needs().idle ? settle() : socket_.post(); }

// ---- Requests

http::Stream& Connection::begin(TimePoint first_byte) {
  exchange_ = exchanges_.lend();
  exchange_->begin(*this, first_byte);
  return *exchange_->stream_;
}

void Connection::end(http::Stream&) {
  exchange_->output_.take(output_);  // for its memory
  exchanges_.take_back(std::move(exchange_));
}

/// Serves what has been read as far as it goes. A handler may cost this thread the loop: nothing but Asio is below this
/// function then.
void Connection::go_on() {
  for (int burst = 0;; ++burst) {
    if (burst == kBurst) return socket_.post();  // other connections get a turn
    if (proxy_header_due_ && !skip_proxy_header()) return;
    const http::Session::Event event = session_->next(output_);
    switch (event.kind) {
      case Kind::none:
      case Kind::gone: return settle();
      case Kind::refused: return refuse(event);
      case Kind::request:
        if (!dispatch()) return;
        break;
    }
  }
}

/// The PROXY prefix of a connection from a trusted proxy. True once it is behind us.
bool Connection::skip_proxy_header() {
  const net::ProxyHeader header = net::read_proxy_header(session_->input().unread());
  switch (header.step) {
    case net::ProxyHeader::Step::need_more: socket_.wait_to_read(); return false;
    case net::ProxyHeader::Step::refused:
      proxy_header_due_ = false;
      refuse(session_->refuse(http::Refusal{400, header.reason}));
      return false;
    case net::ProxyHeader::Step::done: break;
  }
  proxy_header_due_ = false;
  session_->input().consume(header.consumed);
  if (header.local) return true;
  peer_ = {header.address, header.port};
  trusted_ = context_.settings.is_trusted(peer_.address);
  return true;
}

/// False: the answer comes later. The deadline of what came before stays: the session knows that nothing is due now.
bool Connection::dispatch() {
  const http::History& past = session_->history();
  exchange_->prepare(peer_, trusted_, past.requests == 1, transport_->scheme(), past.last_activity);
  return hand_over();
}

bool Connection::hand_over() {
  Exchange& exchange = *exchange_;
  if (exchange.body_.fd() >= 0) exchange.body_.view();  // maps it
  if (exchange.body_.intact()) {
    exchange.pending_ = true;
    if (context_.handler.take(exchange) == Handler::Taken::pending) return false;
    exchange.pending_ = false;
  } else {
    exchange.refuse(500, "the request body could not be stored", http::Outcome::app_failed);
  }
  answer();
  return true;
}

void Connection::take_again() {
  const TimePoint now = Clock::now();
  session_->on_resumed(now);
  exchange_->complete_ = now;
  if (hand_over()) go_on();
}

// ---- Answers

void Connection::refuse(const http::Session::Event& event) {
  exchange_->refuse(event.refusal->status, event.refusal->reason,
                    event.timed_out ? http::Outcome::timeout : http::Outcome::refused);
  on_refused();
}

void Connection::on_refused() {
  answer();
  settle();
}

void Connection::on_late_answer() {
  // A client that closed while it waited is most often gone: nginx's 499. It is answered all the same, it may have
  // closed one direction only.
  if (transport_->peer_has_closed()) exchange_->outcome_ = http::Outcome::client_gone;
  answer();
  context_.handler.on_done();
  go_on();
}

void Connection::give_up(int status, std::string_view reason, http::Outcome outcome) {
  const std::size_t body = http::spell_error(output_.own(), *exchange_->stream_, status, reason, http::date_now(),
                                             exchange_->answered_id());
  over(status, outcome, reason, body, Clock::now());
  exchange_.release()->abandon();  // Exchange::done() takes it from here
  session_->on_given_up();
  begin_to_write();
  settle();
}

void Connection::answer() {
  output_.take(exchange_->output_);
  session_->on_answer(exchange_->closes_);
  begin_to_write();
}

void Connection::begin_to_write() {
  answering_ = true;
  if (flush()) on_written(Clock::now());
}

/// True: all is out. False: the rest goes out when the client takes it, or the connection is closed.
bool Connection::flush() {
  while (!output_.empty()) {
    switch (transport_->write(output_).state) {
      case net::Transport::State::done: break;
      case net::Transport::State::would_block:
        session_->on_output_blocked(Clock::now());
        socket_.wait_to_write();
        return false;
      case net::Transport::State::closed:
      case net::Transport::State::failed: on_gone(false, Clock::now()); return false;
    }
  }
  return true;
}

void Connection::on_writable() {
  if (!flush()) return settle();
  if (answering_) on_written(Clock::now());
  go_on();
}

void Connection::on_written(TimePoint now) {
  answering_ = false;
  if (exchange_) {
    const bool gone = exchange_->outcome_ == http::Outcome::client_gone;
    over(gone ? kClientGone : exchange_->status_, exchange_->outcome_, gone ? std::string_view() : exchange_->reason_,
         exchange_->body_out_, now);
  }
  session_->on_output_drained(now);
}

// ---- Bytes

/// Nothing more can be done with what is here: waits for what the session needs.
void Connection::settle() {
  if (socket_.closed()) return;
  if (!answering_ && !output_.empty() && !flush() && socket_.closed()) return;  // an interim answer
  const http::Session::Needs needs = session_->needs();
  context_.deadlines.set(*this, needs.deadline);
  if (needs.close) return close();
  if (needs.half_close && !std::exchange(half_closed_, true)) transport_->half_close();
  if (needs.idle) return rest();
  if (needs.input) socket_.wait_to_read();
}

/// Waits for the next request, here or elsewhere.
void Connection::rest() {
  if (!socket_.reading() && context_.migration.on_wait(*this)) return;
  socket_.wait_to_read();
}

void Connection::on_readable() {
  if (answering_) return;  // refused meanwhile: what came is of no use, and is thrown away once the answer is out
  InputBuffer& in = session_->make_room();
  const net::Transport::Result result = transport_->read(in.free_space(), in.free_size());
  if (result.state == net::Transport::State::would_block) return socket_.wait_to_read();
  if (waiting_hook.is_linked()) context_.migration.on_wait_over(*this);
  const TimePoint now = Clock::now();
  if (result.state == net::Transport::State::done) {
    session_->on_input(result.bytes, now);
    return go_on();
  }
  if (session_->on_end_of_input(now).kind == Kind::gone) return on_gone(false, now);
  close();
}

/// The client has left, or is given up.
void Connection::on_gone(bool timed_out, TimePoint now) {
  if (exchange_) {
    timed_out ? over(exchange_->status_, http::Outcome::timeout, exchange_->reason_, body_sent(), now)
              : over(kClientGone, http::Outcome::client_gone, exchange_->reason_, body_sent(), now);
  }
  close();
}

// ---- The end

std::string_view Connection::bytes_again(std::string& memory) {
  if (!exchange_ || exchange_->body_.fd() >= 0) return {};
  return session_->bytes_again(*exchange_->stream_, exchange_->body_.view(), memory);
}

void Connection::release() {
  if (exchange_) exchange_->pending_ = false;
  socket_.release();
  close();
}

void Connection::close() {
  if (socket_.closed()) return;
  if (exchange_ && exchange_->pending_) exchange_.release()->abandon();
  if (waiting_hook.is_linked()) context_.migration.on_wait_over(*this);
  session_->on_closed();
  context_.deadlines.set(*this, TimePoint::max());
  socket_.close();
}

void Connection::on_over() {
  if (exchange_) exchanges_.take_back(std::move(exchange_));
  owner_.remove(*this);
}

void Connection::on_deadline(TimePoint now) {
  const http::Session::Event event = session_->on_deadline(now);
  if (event.kind == Kind::refused) return refuse(event);
  if (event.kind == Kind::gone) return on_gone(event.timed_out, now);
  settle();
}

void Connection::on_farewell() {
  session_->on_farewell(Clock::now());
  const http::Session::Needs needs = session_->needs();
  context_.deadlines.set(*this, needs.deadline);
  if (needs.close) return close();
  if (needs.idle) context_.migration.on_farewell(*this);
}

bool Connection::cut() {
  if (!session_->has_request()) return false;
  if (!exchange_) return true;
  const TimePoint now = Clock::now();
  // While a handler runs, the answer is its own to write.
  exchange_->pending_ ? over(0, http::Outcome::cut, {}, 0, now)
                      : over(exchange_->status_, http::Outcome::cut, exchange_->reason_, body_sent(), now);
  return true;
}

/// Of the answer's body, which is the last part of what is written.
std::uint64_t Connection::body_sent() const {
  return exchange_->body_out_ - std::min<std::uint64_t>(exchange_->body_out_, output_.size());
}

/// Each request is counted and logged once.
void Connection::over(int status, http::Outcome outcome, std::string_view reason, std::uint64_t bytes_out,
                      TimePoint end) {
  if (std::exchange(exchange_->over_, true)) return;
  context_.observer.on_over({*exchange_, status, outcome, reason, bytes_out, end});
}

}  // namespace serval::server
