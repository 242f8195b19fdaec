#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <memory>
#include <string_view>

#include "base/output_queue.hpp"
#include "base/time.hpp"
#include "http/outcome.hpp"
#include "http/session.hpp"
#include "net/deadline_wheel.hpp"
#include "net/peer.hpp"
#include "net/transport.hpp"
#include "os/unique_fd.hpp"

namespace serval::server {

class Exchange;
class Hub;

/// One client connection: carries bytes between transport and session, requests to the handler, and keeps the session's deadline. What is to be done the
/// session says; here it is done. Never waits. Loop only.
/// Life time: the hub's list owns it; it leaves that list by itself once its socket is closed and no operation is under way.
class Connection final : public net::Deadlined, private http::Streams {
 public:
  Connection(Hub& hub, UniqueFd fd, net::Peer peer, const http::History& history, std::string_view unread);
  ~Connection();

  void start();
  void on_deadline(TimePoint now) override;
  void on_farewell();

  // ---- What becomes of the request in hand (Exchange).
  /// The handler is done later than take() returned.
  void on_late_answer();
  void on_refused();
  void give_up(int status, std::string_view reason, http::Outcome outcome);
  void take_again();
  /// The process ends: true if a request was under way; the observer has heard of it.
  bool cut();

  // ---- For whoever moves connections elsewhere, or makes room.
  const net::Peer& peer() const { return peer_; }
  http::History history() const { return session_->history(); }
  /// Its request is with the handler.
  bool waits_for_answer() const;
  /// It waits for a request, and a read is under way.
  bool rests() const { return reading_ && session_->idle(); }
  /// Ends that read: Migration::on_wait() is asked again.
  void interrupt();
  void close();
  /// The request in hand as bytes, of which none has been handled; empty: they cannot be had. Valid as long as nothing else is called.
  std::string_view bytes_again(std::string& memory);
  int fd() { return socket_.native_handle(); }
  /// Another process has a descriptor of the same socket and goes on with it. Ours is closed, and must not be shut down.
  void release();

  using ListHook = boost::intrusive::list_member_hook<>;
  ListHook list_hook;
  using WaitingHook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  WaitingHook waiting_hook;  ///< for the Migration's use

 private:
  // http::Streams
  http::Stream& begin(TimePoint first_byte) override;
  void end(http::Stream& stream) override;

  void go_on();
  void go_on_soon();
  bool skip_proxy_header();
  void refuse(const http::Session::Event& event);
  bool dispatch();
  bool hand_over();
  void answer();
  void begin_to_write();
  void settle();
  void rest();
  void read();
  void read_now();
  void on_gone(bool timed_out, TimePoint now);
  bool flush();
  void wait_to_write();
  void on_written(TimePoint now);
  void over(int status, http::Outcome outcome, std::string_view reason, std::uint64_t bytes_out, TimePoint end);
  std::uint64_t body_sent() const;
  void end_operation();

  /// Not of any executor, as Asio's own names are: that costs a virtual call at each step of each operation.
  using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

  Hub& hub_;
  Socket socket_;  ///< waits; bytes go through transport_
  const std::unique_ptr<net::Transport> transport_;
  net::Peer peer_;
  const std::unique_ptr<http::Session> session_;
  std::unique_ptr<Exchange> exchange_;  ///< what the session has begun
  OutputQueue output_;
  int operations_ = 0;   ///< asynchronous operations whose handler will come
  bool reading_ = false;
  bool waits_to_write_ = false;
  bool answering_ = false;  ///< what waits in output_ is, or ends with, an answer
  bool half_closed_ = false;
  bool closed_ = false;
  bool trusted_;
  bool proxy_header_due_;
};

}  // namespace serval::server
