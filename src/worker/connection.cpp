#include "worker/connection.hpp"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <utility>

#include "base/log.hpp"
#include "http/date.hpp"
#include "http/proxy_protocol.hpp"
#include "http1/head_writer.hpp"
#include "ipc/lobby.hpp"
#include "ipc/reports.hpp"
#include "worker/limits.hpp"
#include "worker/service.hpp"

namespace serval::worker {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// What an idle connection keeps; most heads fit.
constexpr std::size_t kHeadBuffer = 2 * 1024;
constexpr std::size_t kBodyBuffer = 32 * 1024;
/// Pipelined requests served before other connections get their turn.
constexpr int kBurst = 16;
/// Draining: a client that was just active may have its next request on the way; it is answered if it comes within kLastCall.
constexpr auto kRecentlyActive = 1s;
constexpr auto kLastCall = 300ms;
/// And one that has begun to send a head finishes it within so long: a client that trickles, or has stopped, would hold
/// up the end.
constexpr auto kLastHead = 2s;
/// How long a client has to take notice that we are done (nginx: lingering_timeout).
constexpr auto kLinger = 5s;
constexpr auto kLingerDraining = 1s;

constexpr std::string_view kAllStuck = "all threads of this worker are stuck";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
/// nginx's number for "the client was gone before the answer".
constexpr int kClientGone = 499;

}  // namespace

Connection::Connection(Service& service, UniqueFd fd, Peer peer)
    : service_(service),
      socket_(service.io),
      peer_(std::move(peer)),
      accepted_(Clock::now()),
      last_activity_(accepted_),
      proxy_header_due_(service.config.request.proxy_protocol && service.is_trusted(peer_.address)) {
  peer_.trusted = service.is_trusted(peer_.address);
  const int family = peer_.address == "unix" ? AF_UNIX : AF_INET;  // the protocol only tells Asio that this is a stream
  socket_.assign(asio::generic::stream_protocol(family, 0), fd.release());
  socket_.non_blocking(true);
}

Connection::Connection(Service& service, UniqueFd fd, Peer peer, const Past& past, std::string_view unread)
    : Connection(service, std::move(fd), std::move(peer)) {
  accepted_ = past.accepted;
  last_activity_ = past.last_activity;
  requests_ = past.requests;
  untouched_ = past.untouched;
  proxy_header_due_ = proxy_header_due_ && untouched_;
  if (requests_ > 0) phase_ = Phase::idle;
  if (!unread.empty()) input_.assign(unread, kHeadBuffer);
}

void Connection::start() {
  const config::Request& limits = service_.config.request;
  // One that was kept alive elsewhere, and would not be here, has a request to come all the same.
  const bool keeps_alive = phase_ == Phase::idle && limits.keep_alive.count() > 0;
  const TimePoint since = phase_ == Phase::idle ? last_activity_ : accepted_;
  const TimePoint last_call = service_.says_goodbye() ? Clock::now() + kLastCall : TimePoint::max();
  wait_until(std::min(last_call, deadline_after(since, keeps_alive ? limits.keep_alive : limits.header_timeout)));
  input_.unread().empty() ? rest() : go_on_soon();
}

// ---- Reading

/// Serves what has been read as far as it goes.
void Connection::go_on() {
  for (int burst = 0; reads_request(); ++burst) {
    if (burst == kBurst) return go_on_soon();
    if (!parse()) return;
    dispatch();
  }
}

/// Where others have to have their turn, or the caller something to do yet: a handler may cost this thread the loop.
void Connection::go_on_soon() {
  ++operations_;
  asio::post(service_.io, [this] {
    end_operation();
    go_on();
  });
}

/// True if a request is complete. False if there is nothing to do but wait for bytes, or the request was refused.
bool Connection::parse() {
  if (proxy_header_due_ && !skip_proxy_header()) return false;
  while (true) {
    if (!exchange_) {
      if (input_.unread().empty()) {
        rest();
        return false;
      }
      begin_exchange();
    }
    const http1::RequestParser::Result result = exchange_->parser.next(input().unread());
    input().consume(result.consumed);
    switch (result.step) {
      case http1::RequestParser::Step::need_more:
        return want_more();
      case http1::RequestParser::Step::head:
        on_head(result.consumed);
        break;
      case http1::RequestParser::Step::body:
        on_body(result.body);
        break;
      case http1::RequestParser::Step::end:
        return true;
      case http1::RequestParser::Step::refused: {
        const http::Refusal& refusal = exchange_->parser.refusal();
        answer_error(refusal.status, refusal.reason, http::Outcome::refused);
        return false;
      }
    }
  }
}

/// The PROXY prefix of a connection from a trusted proxy. True once it is behind us.
bool Connection::skip_proxy_header() {
  const http::ProxyHeader header = http::read_proxy_header(input_.unread());
  switch (header.step) {
    case http::ProxyHeader::Step::need_more:
      read();
      return false;
    case http::ProxyHeader::Step::refused:
      proxy_header_due_ = false;
      answer_error(400, header.reason, http::Outcome::refused);
      return false;
    case http::ProxyHeader::Step::done:
      break;
  }
  proxy_header_due_ = false;
  input_.consume(header.consumed);
  if (!header.local) peer_ = {header.address, header.port, service_.is_trusted(header.address)};
  return true;
}

void Connection::begin_exchange() {
  exchange_ = service_.lend();
  exchange_->begin(*this, last_activity_);
  std::swap(exchange_->input, input_);
  apart_ = false;
  logged_ = false;
  outcome_ = http::Outcome::ok;
}

void Connection::on_head(std::size_t size) {
  const http1::Wire& wire = exchange_->parser.wire();
  exchange_->head_at = exchange_->input.position() - size;
  exchange_->head_size = size;
  phase_ = Phase::body;
  body_begin_ = last_activity_;
  if (!wire.expect_continue || wire.body == http1::BodyKind::none || !input().unread().empty()) return;
  boost::system::error_code error;  // a client whose 25 bytes do not fit will not read the answer either
  socket_.write_some(asio::buffer(kContinue), error);
}

void Connection::on_body(std::string_view piece) {
  exchange_->body_bytes += piece.size();
  if (!apart_ && exchange_->body_bytes == piece.size()) {
    exchange_->body_in_place = piece;
    return;
  }
  settle_body();
  exchange_->body.append(piece, service_.config.request.spill_body);
}

/// Copies what lies in the input buffer before more is read over it.
void Connection::settle_body() {
  if (exchange_->body_in_place.empty()) return;
  exchange_->body.append(exchange_->body_in_place, service_.config.request.spill_body);
  exchange_->body_in_place = {};
}

/// The request is not complete: arms the deadline for the rest of it and reads on. Always false.
bool Connection::want_more() {
  const config::Request& limits = service_.config.request;
  if (phase_ == Phase::body) {
    settle_body();
    if (!apart_) {  // the head stays where it is
      exchange_->body_input.assign(exchange_->input.unread(), kBodyBuffer);
      exchange_->input.consume(exchange_->input.unread().size());
      apart_ = true;
    }
    wait_until(body_deadline({body_begin_, last_activity_, exchange_->body_bytes}, limits));
  } else if (phase_ != Phase::head) {
    // A connection's first head is due from the moment it was accepted.
    wait_until(deadline_after(phase_ == Phase::fresh ? accepted_ : exchange_->first_byte, limits.header_timeout));
    phase_ = Phase::head;
    if (service_.says_goodbye()) hurry_head();
  }
  read();
  return false;
}

InputBuffer& Connection::input() {
  if (!exchange_) return input_;
  return apart_ ? exchange_->body_input : exchange_->input;
}

bool Connection::waits_for_request() const { return (phase_ == Phase::fresh || phase_ == Phase::idle) && input_.unread().empty(); }

/// Nothing is there to be served, and no read is under way: waits for the next request, here or in another worker.
void Connection::rest() {
  if (service_.draining()) {
    if (service_.departures.moving() && move()) return;
    service_.departures.add(*this);
  } else if (phase_ == Phase::idle && service_.sheds() && move()) {
    return;
  }
  read();
}

/// Nothing may be about to be read.
bool Connection::move(std::string_view unread) {
  ipc::Guest guest{.requests = static_cast<std::uint32_t>(requests_),
                   .accepted_ns = std::chrono::nanoseconds(accepted_.time_since_epoch()).count(),
                   .last_activity_ns = std::chrono::nanoseconds(last_activity_.time_since_epoch()).count(),
                   .port = peer_.port,
                   .untouched = untouched_};
  ipc::put_text(guest.peer, peer_.address);
  if (!service_.departures.send(guest, socket_.native_handle(), unread)) return false;
  // The new owner has the same open file: ours must leave epoll by itself, since closing does not take it out while others have it (epoll(7)).
  boost::system::error_code ignored;
  const UniqueFd ours(socket_.release(ignored));
  close();
  return true;
}

/// Waits first: Asio would try to read at once, and after an answer there is hardly ever something yet.
void Connection::read() {
  if (reading_) return;
  reading_ = true;
  ++operations_;
  socket_.async_wait(asio::socket_base::wait_read, [this](const boost::system::error_code& error) {
    reading_ = false;
    end_operation();
    if (!reads()) return;  // refused meanwhile: what came is of no use, linger() sees the rest
    error ? on_read(error, 0) : read_now();
  });
}

bool Connection::reads_request() const {
  return phase_ == Phase::fresh || phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body;
}

bool Connection::reads() const { return reads_request() || phase_ == Phase::lingering; }

/// From the first byte of its head until its answer is out.
bool Connection::has_request() const {
  switch (phase_) {
    case Phase::head:
    case Phase::body:
    case Phase::held:
    case Phase::handling:
    case Phase::writing: return true;
    case Phase::fresh:
    case Phase::idle:
    case Phase::lingering:
    case Phase::closed: return false;
  }
  return false;
}

void Connection::read_now() {
  InputBuffer& in = input();
  in.make_room(apart_ ? kBodyBuffer : kHeadBuffer);
  boost::system::error_code error;
  const std::size_t bytes = socket_.read_some(asio::buffer(in.free_space(), in.free_size()), error);
  error == asio::error::would_block ? read() : on_read(error, bytes);
}

void Connection::on_read(const boost::system::error_code& error, std::size_t bytes) {
  if (phase_ == Phase::lingering) return error ? close() : read();  // into the same free space: thrown away
  if (error == asio::error::operation_aborted) return rest();       // interrupt()
  service_.departures.remove(*this);
  if (error) return on_client_gone();
  untouched_ = false;
  input().commit(bytes);
  last_activity_ = Clock::now();
  go_on();
}

void Connection::on_client_gone() {
  last_activity_ = Clock::now();
  if (exchange_ && exchange_->parser.started()) log(kClientGone, http::Outcome::client_gone);
  close();
}

// ---- Handling

void Connection::dispatch() {
  if (service_.holds()) {
    phase_ = Phase::held;
    wait_until(TimePoint::max());
    return service_.park(*this);
  }
  const config::Request& limits = service_.config.request;
  Exchange& exchange = *exchange_;
  ++requests_;
  phase_ = Phase::handling;
  exchange.handed_over = last_activity_;
  exchange.prepare(peer_, requests_);
  if (!exchange.body.intact()) return answer_error(500, "the request body could not be stored", http::Outcome::app_failed);
  if (service_.all_stuck()) return answer_error(503, kAllStuck, http::Outcome::overload);
  // Armed before the handler may run: if it overstays, this thread does not come back here.
  wait_until(deadline_after(last_activity_, limits.timeout));
  switch (service_.crew.submit(exchange)) {
    case Crew::Accepted::ran:
      return write();
    case Crew::Accepted::pending:
      service_.on_crew_changed();
      if (service_.config.workers.queue_timeout.count() > 0) {
        wait_until(std::min(deadline(), last_activity_ + service_.config.workers.queue_timeout));
      }
      return;
    case Crew::Accepted::refused:
      return answer_error(503, "all threads are busy and the queue is full", http::Outcome::overload);
  }
}

/// The time that it was held is nobody's fault: all that is limited begins now.
void Connection::on_let_in() {
  last_activity_ = Clock::now();
  dispatch();
  go_on();
}

bool Connection::hand_on() {
  std::string put_together;
  std::string_view request = exchange_->input.since(exchange_->head_at);
  if (apart_) {  // the bytes of the body are where they were read to; those of a chunked one are gone
    if (exchange_->parser.wire().body != http1::BodyKind::sized || exchange_->body.fd() >= 0) return false;
    put_together = std::string(request.substr(0, exchange_->head_size)).append(exchange_->body.view()).append(exchange_->body_input.unread());
    request = put_together;
  }
  if (request.size() > ipc::kMostUnread) return false;
  phase_ = Phase::idle;
  --requests_;
  if (move(request)) return true;
  ++requests_;
  phase_ = Phase::handling;
  return false;
}

void Connection::on_answer() {
  // A client that closed while it waited is most often gone: nginx's 499. It is answered all the same, it may have closed one direction only.
  if (client_half_closed()) outcome_ = http::Outcome::client_gone;
  write();
  service_.on_crew_changed();
  go_on();
}

bool Connection::client_half_closed() const {
  char byte;
  return ::recv(const_cast<Connection*>(this)->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void Connection::on_overdue(TimePoint now) {
  const config::Workers& workers = service_.config.workers;
  Exchange& exchange = *exchange_;
  if (!exchange.has_started()) {
    const TimePoint patience = deadline_after(exchange.handed_over, workers.queue_timeout);
    if (patience > now) return wait_until(std::min(patience, deadline_after(now, service_.config.request.timeout)));
    if (service_.crew.withdraw(exchange)) {
      service_.on_crew_changed();
      return answer_error(503, "no thread became free in time", http::Outcome::overload);
    }
  }
  // What a thread has just taken, or what was given more time, has its own deadline.
  const TimePoint due = exchange.has_started() ? exchange.due() : deadline_after(now, service_.config.request.timeout);
  if (due > now) return wait_until(due);
  if (!exchange.expire(now)) return wait_until(exchange.due());
  answer_timeout(now);
}

/// The client gets its 504 now; the handler keeps its exchange until it returns.
void Connection::answer_timeout(TimePoint now) {
  constexpr std::string_view reason = "the app did not answer in time";
  last_activity_ = now;
  service_.on_expired(*exchange_, now);
  std::string answer;
  const std::size_t body = http1::append_error(answer, exchange_->framing(true), 504, reason, http::date_now());
  log(504, http::Outcome::timeout, {reason, body});
  let_go_of_exchange();
  begin_exchange();
  logged_ = true;
  exchange_->closes = true;
  exchange_->out = std::move(answer);
  write();
}

void Connection::let_go_of_exchange() {
  exchange_->abandon();
  exchange_.release();  // Exchange::done() takes it from here
}

// ---- Writing

void Connection::answer_error(int status, std::string_view reason, http::Outcome outcome) {
  if (!exchange_) begin_exchange();
  last_activity_ = Clock::now();
  outcome_ = outcome;
  exchange_->out.clear();
  exchange_->closes = true;
  exchange_->status = status;
  exchange_->reason = reason;
  exchange_->body_out = http1::append_error(exchange_->out, exchange_->framing(true), status, reason, http::date_now());
  write();
}

void Connection::write() {
  if (phase_ != Phase::writing) written_ = 0;
  phase_ = Phase::writing;
  const std::string& out = exchange_->out;
  const std::string_view tail = exchange_->tail;
  while (written_ < out.size() + tail.size()) {
    boost::system::error_code error;
    std::size_t sent = 0;
    if (tail.empty()) {
      sent = socket_.write_some(asio::buffer(out.data() + written_, out.size() - written_), error);
    } else {
      const std::size_t of_out = std::min(written_, out.size());
      const std::size_t of_tail = written_ - of_out;
      sent = socket_.write_some(std::array{asio::buffer(out.data() + of_out, out.size() - of_out),
                                           asio::buffer(tail.data() + of_tail, tail.size() - of_tail)},
                                error);
    }
    if (error == asio::error::would_block) {
      wait_until(deadline_after(Clock::now(), service_.config.request.write_timeout));
      ++operations_;
      socket_.async_wait(asio::socket_base::wait_write, [this](const boost::system::error_code&) {
        end_operation();
        if (phase_ != Phase::writing) return;
        write();
        go_on();
      });
      return;
    }
    if (error) {
      last_activity_ = Clock::now();
      log(kClientGone, http::Outcome::client_gone);
      return close();
    }
    written_ += sent;
  }
  on_written();
}

void Connection::on_written() {
  last_activity_ = Clock::now();
  if (outcome_ == http::Outcome::client_gone) {
    log(kClientGone, outcome_);
  } else {
    log(exchange_->status, exchange_->failed ? http::Outcome::app_failed : outcome_, {exchange_->reason, exchange_->body_out});
  }
  exchange_->closes ? linger() : next_request();
}

void Connection::next_request() {
  std::swap(input_, input());
  apart_ = false;
  service_.take_back(std::move(exchange_));
  if (input_.unread().empty()) input_.clear(kHeadBuffer);
  phase_ = Phase::idle;
  wait_idle();
}

void Connection::wait_idle() {
  const bool last_call = service_.says_goodbye();
  wait_until(last_call ? Clock::now() + kLastCall : deadline_after(last_activity_, service_.config.request.keep_alive));
}

void Connection::linger() {
  phase_ = Phase::lingering;
  boost::system::error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  wait_until(last_activity_ + (service_.draining() ? kLingerDraining : kLinger));
  read();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  if (phase_ == Phase::handling) let_go_of_exchange();
  phase_ = Phase::closed;
  service_.departures.remove(*this);
  wait_until(TimePoint::max());
  boost::system::error_code ignored;
  socket_.close(ignored);
  ++operations_;
  end_operation();
}

/// The last operation of a closed connection takes the connection with it.
void Connection::end_operation() {
  if (--operations_ > 0 || phase_ != Phase::closed) return;
  if (exchange_) service_.take_back(std::move(exchange_));
  service_.remove(*this);
}

// ---- Deadlines, drain, log

void Connection::wait_until(TimePoint deadline) { service_.set_deadline(*this, deadline); }

void Connection::on_deadline() {
  const TimePoint now = Clock::now();
  switch (phase_) {
    case Phase::held:
      return;
    case Phase::fresh:
    case Phase::idle:
    case Phase::lingering:
      return close();
    case Phase::head:
      return answer_error(408, "the request head did not come in time", http::Outcome::timeout);
    case Phase::body:
      return answer_error(408, "the request body did not come in time", http::Outcome::timeout);
    case Phase::handling:
      return on_overdue(now);
    case Phase::writing:
      last_activity_ = now;
      log(exchange_->status, http::Outcome::timeout);
      return close();
    case Phase::closed:
      return;
  }
}

void Connection::hurry_head() { wait_until(std::min(deadline(), Clock::now() + kLastHead)); }

void Connection::on_drain() {
  if (phase_ == Phase::head && service_.says_goodbye()) return hurry_head();
  if (phase_ != Phase::fresh && phase_ != Phase::idle) return;  // what it has is answered first
  if (service_.departures.moving()) {
    if (waits_for_request()) service_.departures.add(*this);
    return;
  }
  if (Clock::now() - last_activity_ > kRecentlyActive) return close();
  wait_idle();
  if (waits_for_request()) service_.departures.add(*this);
}

void Connection::interrupt() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::on_all_stuck() {
  if (phase_ != Phase::handling || exchange_->has_started() || !service_.crew.withdraw(*exchange_)) return;
  service_.on_crew_changed();
  answer_error(503, kAllStuck, http::Outcome::overload);
}

bool Connection::on_cut() {
  if (!has_request()) return false;
  last_activity_ = Clock::now();
  log(phase_ == Phase::handling ? 0 : exchange_->status, http::Outcome::cut);
  return true;
}

/// While the handler runs, its answer is its own to write.
Connection::Answered Connection::answered() const {
  if (phase_ == Phase::handling) return {};
  return {exchange_->reason, body_answered()};
}

std::uint64_t Connection::body_answered() const {
  if (phase_ == Phase::handling) return 0;
  return phase_ == Phase::writing ? body_sent() : exchange_->body_out;
}

/// Of the answer's body, which is the last part of what is written.
std::uint64_t Connection::body_sent() const {
  const std::uint64_t unsent = exchange_->out.size() + exchange_->tail.size() - written_;
  return exchange_->body_out - std::min(exchange_->body_out, unsent);
}

std::string_view Connection::received() const {
  const bool head_complete = exchange_->head_size > 0;
  return shown_of(head_complete ? exchange_->input.since(exchange_->head_at) : exchange_->input.unread());
}

/// Each request is counted and logged once.
void Connection::log(int status, http::Outcome outcome) {
  if (count(status, outcome, body_answered())) write_access_line(status, outcome, answered());
}

void Connection::log(int status, http::Outcome outcome, const Answered& answered) {
  if (count(status, outcome, answered.body)) write_access_line(status, outcome, answered);
}

/// Apart from log(), which most requests only pass through: what this needs on the stack they need not set up.
[[gnu::noinline]] void Connection::write_access_line(int status, http::Outcome outcome, const Answered& answered) {
  const bool refused = outcome == http::Outcome::refused;
  const Exchange& exchange = *exchange_;
  const http::Request& head = exchange.parser.request();
  http::AccessRecord record;
  record.peer = exchange.request.peer.empty() ? std::string_view(peer_.address) : exchange.request.peer;
  record.method = head.method;
  record.target = head.target;
  record.minor_version = head.method.empty() ? -1 : head.version.minor;
  for (const http::Field& field : head.fields) {
    if (http::equal_names(field.name, "Referer")) record.referer = field.value;
    if (http::equal_names(field.name, "User-Agent")) record.user_agent = field.value;
  }
  record.host = head.host;
  record.request_id = exchange.request_id;
  record.status = status;
  record.bytes_in = exchange.body_bytes;
  record.bytes_out = answered.body;
  record.when = service_.wall_time(exchange.first_byte);
  record.duration = std::chrono::duration_cast<std::chrono::microseconds>(last_activity_ - exchange.first_byte);
  if (exchange.has_started()) {
    record.queue_wait = std::chrono::duration_cast<std::chrono::microseconds>(exchange.started() - exchange.handed_over);
  }
  record.outcome = outcome;
  record.reason = answered.reason;
  if (refused || head.method.empty()) record.received = received();
  if (refused) service_.refusals.add(record);
  service_.log_access(record);
}

bool Connection::count(int status, http::Outcome outcome, std::uint64_t body) {
  if (std::exchange(logged_, true)) return false;
  const Exchange& exchange = *exchange_;
  scoreboard::Answered answered;
  answered.status = status;
  answered.duration = last_activity_ - exchange.first_byte;
  if (exchange.has_started()) answered.queue_wait = exchange.started() - exchange.handed_over;
  answered.bytes_in = exchange.body_bytes;
  answered.bytes_out = body;
  answered.timed_out = status == 504 && outcome == http::Outcome::timeout;
  answered.overload = outcome == http::Outcome::overload;
  answered.client_gone = outcome == http::Outcome::client_gone;
  service_.count(answered);
  return outcome == http::Outcome::refused || service_.logs_access();
}

}  // namespace serval::worker
