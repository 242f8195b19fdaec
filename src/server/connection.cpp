#include "server/connection.hpp"

#include <algorithm>
#include <utility>

#include "net/proxy_protocol.hpp"
#include "server/protocol.hpp"

namespace serval::server {

using Kind = http::Session::Event::Kind;

namespace {

/// Pipelined requests served before other connections get their turn.
constexpr int kBurst = 16;

}  // namespace

Connection::Connection(const Surroundings& surroundings, UniqueFd fd, net::Peer peer, const http::History& history,
                       std::string_view unread)
    : context_(surroundings.context),
      exchanges_(surroundings.exchanges),
      owner_(surroundings.owner),
      socket_(context_.io, std::move(fd), peer.address == "unix", *this),
      transport_(net::plain_transport(socket_.fd())),
      peer_(std::move(peer)),
      session_(make_session(context_, request_, history, unread)),
      trusted_(context_.settings.is_trusted(peer_.address)),
      proxy_header_due_(context_.settings.proxy_protocol && trusted_ && history.untouched) {}

Connection::~Connection() = default;

void Connection::start() { session_->needs().idle ? settle() : socket_.post(); }

// ---- Requests

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
      case Kind::refused: return request_.refuse(event);
      case Kind::request:
        if (!request_.dispatch()) return;
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
      request_.refuse(session_->refuse(http::Refusal{400, header.reason}));
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

// ---- Writing

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
  request_.on_written(now);
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

void Connection::on_gone(bool timed_out, TimePoint now) {
  request_.on_gone(timed_out, now);
  close();
}

// ---- The end

std::string_view Connection::bytes_again(std::string& memory) {
  Exchange* const exchange = request_.exchange.get();
  if (exchange == nullptr || exchange->body_.fd() >= 0) return {};
  return session_->bytes_again(*exchange->stream_, exchange->body_.view(), memory);
}

void Connection::release() {
  if (request_.exchange) request_.exchange->pending_ = false;
  socket_.release();
  close();
}

void Connection::close() {
  if (socket_.closed()) return;
  request_.abandon();
  if (waiting_hook.is_linked()) context_.migration.on_wait_over(*this);
  session_->on_closed();
  context_.deadlines.set(*this, TimePoint::max());
  socket_.close();
}

void Connection::on_over() {
  request_.give_back();
  owner_.remove(*this);
}

void Connection::on_deadline(TimePoint now) {
  const http::Session::Event event = session_->on_deadline(now);
  if (event.kind == Kind::refused) return request_.refuse(event);
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
  request_.on_cut(Clock::now());
  return true;
}

}  // namespace serval::server
