#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_queue.hpp"
#include "base/time.hpp"
#include "http/outcome.hpp"
#include "http/response.hpp"
#include "http/stream.hpp"
#include "net/deadline_wheel.hpp"
#include "net/peer.hpp"
#include "server/context.hpp"
#include "server/request_body.hpp"

namespace serval::server {

class Connection;
class ExchangePool;

/// What an exchange needs of its connection.
class Client {
 public:
  virtual Connection& connection() = 0;
  virtual std::string_view address() const = 0;
  /// The handler is done later than take() returned.
  virtual void on_late_answer() = 0;
  /// An answer of serval's own has taken its place.
  virtual void on_refused() = 0;
  virtual void give_up(int status, std::string_view reason, http::Outcome outcome) = 0;
  virtual void take_again() = 0;

 protected:
  ~Client() = default;
};

/// The peer of the connection that a request came on, and over what.
struct PeerOrigin {
  std::string_view peer;        ///< address without port, e.g. "127.0.0.1", "::1", or "unix"
  std::uint16_t peer_port = 0;  ///< 0: none, or unknown
  std::string_view scheme;      ///< "http" or "https"
};

/// One request and its answer, with all the memory that a handler's thread may touch. If the client is answered before
/// its handler has returned, or is gone, the exchange is abandoned: the connection lets go of it, and it lives on until
/// the handler calls done(). Reused: memory stays. Loop only, but for what a pending handler may ask and say from its
/// own thread.
class Exchange final : public http::StreamOwner, public net::Deadlined {
 public:
  /// What a handler keeps with an exchange; made once, kept as the exchange is reused.
  class Attachment {
   public:
    virtual ~Attachment() = default;
  };

  /// `context` and `pool` outlive it.
  Exchange(Context& context, ExchangePool& pool, std::unique_ptr<http::Stream> stream);

  // ---- For handlers. Any thread that has the exchange, until it is done.
  const http::Request& request() const { return stream_->request; }
  RequestBody& body() { return body_; }
  const PeerOrigin& origin() const { return origin_; }  ///< of a complete request
  std::string_view request_id() const { return request_id_; }
  std::uint64_t bytes_in() const { return body_.size(); }
  TimePoint first_byte() const { return first_byte_; }
  TimePoint complete() const { return complete_; }  ///< when the request was, and was given to the handler
  /// The connection's own end has been believed in naming its client.
  bool from_trusted_peer() const { return from_trusted_peer_; }
  /// It is the first one on its connection.
  bool first_on_connection() const { return first_on_connection_; }

  /// The whole answer, once. Empty: taken. Else why it cannot be sent; refuse() or fail() must follow then.
  std::string respond(const http::Response& response);
  /// The handler has failed: 500. The client is told nothing of why.
  void fail();

  // ---- For handlers, on the loop.
  std::unique_ptr<Attachment> attachment;
  /// An answer of serval's own, after which the connection closes. `reason` is a static text.
  void refuse(int status, std::string_view reason, http::Outcome outcome);
  /// The pending exchange has been answered and is touched no more.
  void done();
  /// The same at once, for one that no thread has: refuse() and done().
  void refuse_pending(int status, std::string_view reason, http::Outcome outcome);
  /// The client gets this answer now, and the pending handler goes on without one until it calls done().
  void give_up(int status, std::string_view reason, http::Outcome outcome);
  /// A request that the handler held back is handed to it once more.
  void take_again();
  /// Handler::on_deadline is called then; max(): never.
  void wait_until(TimePoint deadline);
  /// None if it has been abandoned.
  Connection* connection() const { return client_ == nullptr ? nullptr : &client_->connection(); }

  // ---- Whatever has been said of the answer.
  int status() const { return status_; }
  std::string_view reason() const { return reason_; }
  http::Outcome outcome() const { return outcome_; }
  std::uint64_t body_out() const { return body_out_; }
  std::string_view received() const { return stream_->received(); }
  /// Who has sent it, be it complete or not. On the loop.
  std::string_view peer() const;
  bool pending() const { return pending_; }

 private:
  friend class Connection;  // on the loop: it begins, prepares, hands over and resets what it serves
  friend class ExchangePool;

  void begin(Client& client, TimePoint first_byte);
  /// The request is complete: who asks, and under which id.
  void prepare(const net::Peer& peer, bool trusted, bool first, std::string_view scheme, TimePoint now);
  void identify(const net::Peer& peer);
  void abandon();
  void reset();
  std::string drop_fields(const http::Response& response, std::vector<http::Field>& kept);
  void put(const http::Response& response, std::span<const http::Field> fields);

  // http::StreamOwner
  void on_body(std::string_view piece) override;
  void keep_body() override;
  // net::Deadlined
  void on_deadline(TimePoint now) override;

  Context& context_;
  ExchangePool& pool_;
  const std::unique_ptr<http::Stream> stream_;
  Client* client_ = nullptr;
  RequestBody body_;
  std::string request_id_;
  std::string peer_address_;  ///< a copy: the handler may outlive the connection
  PeerOrigin origin_;
  TimePoint first_byte_;
  TimePoint complete_;
  OutputQueue output_;
  std::string_view reason_;
  std::uint64_t body_out_ = 0;
  int status_ = 0;
  http::Outcome outcome_ = http::Outcome::ok;
  bool closes_ = false;    ///< the answer says so
  bool pending_ = false;   ///< the handler has it
  bool over_ = false;      ///< the observer has heard of it
  bool from_trusted_peer_ = false;
  bool first_on_connection_ = false;
};

/// Exchanges, made once and used again and again. Loop only.
class ExchangePool {
 public:
  explicit ExchangePool(Context& context) : context_(context) {}

  std::unique_ptr<Exchange> lend();
  void take_back(std::unique_ptr<Exchange> exchange);

 private:
  Context& context_;
  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace serval::server
