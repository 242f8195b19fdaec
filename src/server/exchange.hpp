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
#include "server/incoming_request.hpp"

namespace serval::server {

class Connection;
class ExchangePool;

/// What an exchange needs of its connection.
class Client {
 public:
  virtual Connection& connection() = 0;
  /// The handler is done later than take() returned.
  virtual void on_late_answer() = 0;
  /// An answer of serval's own has taken its place.
  virtual void on_refused() = 0;
  virtual void give_up(int status, std::string_view reason, http::Outcome outcome) = 0;
  virtual void take_again() = 0;

 protected:
  ~Client() = default;
};

/// One request and its answer, with all the memory that a handler's thread may touch. If the client is answered before
/// its handler has returned, or is gone, the exchange is abandoned: the connection lets go of it, and it lives on until
/// the handler calls done(). Reused: memory stays. Loop only, but for what a pending handler may ask and say from its
/// own thread.
class Exchange final : public IncomingRequest, public net::Deadlined {
 public:
  /// What a handler keeps with an exchange; made once, kept as the exchange is reused.
  class Attachment {
   public:
    virtual ~Attachment() = default;
  };

  /// `context` and `pool` outlive it.
  Exchange(Context& context, ExchangePool& pool, std::unique_ptr<http::Stream> stream);

  // ---- For handlers. Any thread that has the exchange, until it is done.
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
  /// It asks for serval's own word, and no handler of the app's: the observer may leave it out.
  void mark_as_probe() { probe_ = true; }
  bool is_probe() const { return probe_; }
  /// None if it has been abandoned.
  Connection* connection() const { return client_ == nullptr ? nullptr : &client_->connection(); }

  // ---- Whatever has been said of the answer.
  int status() const { return status_; }
  std::string_view reason() const { return reason_; }
  http::Outcome outcome() const { return outcome_; }
  std::uint64_t body_out() const { return body_out_; }
  bool pending() const { return pending_; }

 private:
  friend class Connection;  // on the loop: it begins, prepares, hands over and resets what it serves
  friend class ExchangePool;

  void begin(Client& client, std::string_view peer, const http::History& history, TimePoint first_byte);
  void abandon();
  void reset();
  std::string drop_fields(const http::Response& response, std::vector<http::Field>& kept);
  void put(const http::Response& response, std::span<const http::Field> fields);
  http::Field added_field(std::span<const http::Field> fields) const;
  /// What answers have for X-Request-Id; empty: nothing.
  std::string_view answered_id() const { return context_.settings.answer_id ? request_id_ : std::string_view{}; }

  // net::Deadlined
  void on_deadline(TimePoint now) override;

  ExchangePool& pool_;
  Client* client_ = nullptr;
  OutputQueue output_;
  std::string_view reason_;
  std::uint64_t body_out_ = 0;
  int status_ = 0;
  http::Outcome outcome_ = http::Outcome::ok;
  bool closes_ = false;   ///< the answer says so
  bool pending_ = false;  ///< the handler has it
  bool over_ = false;     ///< the observer has heard of it
  bool probe_ = false;
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
