#pragma once

#include <boost/intrusive/list_hook.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "base/output_queue.hpp"
#include "base/time.hpp"
#include "http/outcome.hpp"
#include "http/session.hpp"
#include "net/deadline_wheel.hpp"
#include "net/peer.hpp"
#include "net/stream_socket.hpp"
#include "net/transport.hpp"
#include "os/unique_fd.hpp"
#include "server/context.hpp"
#include "server/exchange.hpp"

namespace serval::server {

/// Has connections.
class ConnectionOwner {
 public:
  /// The connection is closed, and no operation is under way: destroys it, once its own functions are off the stack.
  virtual void remove(Connection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// One client connection: carries bytes between transport and session, requests to the handler, and keeps the session's
/// deadline. What is to be done the session says; here it is done. Never waits. Loop only. Life time: its owner's; it
/// says by itself when it is over.
class Connection final : public net::Deadlined, private net::StreamSocket::Owner {
 public:
  /// All outlive it.
  struct Surroundings {
    Context& context;
    ExchangePool& exchanges;
    ConnectionOwner& owner;
  };
  /// `unread`: what has been read of it elsewhere.
  Connection(const Surroundings& surroundings, UniqueFd fd, net::Peer peer, const http::History& history,
             std::string_view unread);
  ~Connection();

  void start();
  void on_deadline(TimePoint now) override;
  void on_farewell();
  /// The process ends: true if a request was under way; the observer has heard of it.
  bool cut();

  // ---- For those that move connections elsewhere, or make room.
  const net::Peer& peer() const { return peer_; }
  const http::History& history() const { return session_->history(); }
  /// Its request is with the handler.
  bool waits_for_answer() const { return request_.exchange && request_.exchange->pending(); }
  /// From the first byte of a request until its answer is out.
  bool has_request() const { return session_->has_request(); }
  /// It waits for a request, and a read is under way.
  bool rests() const { return socket_.reading() && session_->needs().idle; }
  /// Ends that read: Migration::on_wait() is asked again.
  void interrupt() { socket_.interrupt(); }
  void close();
  /// The request in hand as bytes, of which none has been handled; empty: they cannot be had. May be put together in
  /// `memory`.
  std::string_view bytes_again(std::string& memory);
  int fd() { return socket_.fd(); }
  /// Another process has a descriptor of the same socket and goes on with it, and with the request in hand if there is
  /// one. Ours is closed.
  void release();

  using ListHook = boost::intrusive::list_member_hook<>;
  ListHook list_hook;
  using WaitingHook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  // For the Migration's use.
  WaitingHook waiting_hook;
  TimePoint drawn_at{};

 private:
  /// The request in hand, from its first byte until its answer is known (connection_request.cpp).
  class Request final : public http::Streams, private Client {
   public:
    explicit Request(Connection& connection) : connection_(connection) {}

    std::unique_ptr<Exchange> exchange;  ///< what the session has begun

    /// False: the answer comes later. The deadline of what came before stays: the session knows that nothing is due
    /// now.
    bool dispatch();
    void refuse(const http::Session::Event& event);
    /// Its answer is out.
    void on_written(TimePoint now);
    /// The client has left, or is given up.
    void on_gone(bool timed_out, TimePoint now);
    /// The process ends.
    void on_cut(TimePoint now);
    /// A handler that has it goes on without a client.
    void abandon();
    void give_back();

   private:
    // http::Streams
    http::Stream& begin(TimePoint first_byte) override;
    void end(http::Stream& stream) override;
    // Client
    Connection& connection() override { return connection_; }
    void on_late_answer() override;
    void on_refused() override;
    void give_up(int status, std::string_view reason, http::Outcome outcome) override;
    void take_again() override;

    bool hand_over();
    void answer();
    void over(int status, http::Outcome outcome, std::string_view reason, std::uint64_t bytes_out, TimePoint end);
    std::uint64_t body_sent() const;

    Connection& connection_;
  };

  // net::StreamSocket::Owner
  void on_readable() override;
  void on_interrupted() override { settle(); }
  void on_writable() override;
  void on_posted() override { go_on(); }
  void on_over() override;

  void go_on();
  bool skip_proxy_header();
  void begin_to_write();
  bool flush();
  void on_written(TimePoint now);
  void settle();
  void rest();
  void on_gone(bool timed_out, TimePoint now);

  Context& context_;
  ExchangePool& exchanges_;
  ConnectionOwner& owner_;
  net::StreamSocket socket_;  ///< waits; bytes go through transport_
  const std::unique_ptr<net::Transport> transport_;
  net::Peer peer_;
  Request request_{*this};
  const std::unique_ptr<http::Session> session_;
  OutputQueue output_;
  bool answering_ = false;  ///< what waits in output_ is, or ends with, an answer
  bool half_closed_ = false;
  bool trusted_;
  bool proxy_header_due_;
};

}  // namespace serval::server
