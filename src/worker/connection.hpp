#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <cstdint>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "http/access_log.hpp"
#include "http1/request_parser.hpp"
#include "os/unique_fd.hpp"
#include "worker/deadline_wheel.hpp"
#include "worker/exchange.hpp"
#include "worker/input_buffer.hpp"
#include "worker/past.hpp"

namespace serval::worker {

class Service;

/// Who is at the other end of a socket.
struct Peer {
  std::string address;     ///< "127.0.0.1", "::1" (IPv4 in its own form, also on a [::] listener), or "unix"
  std::uint16_t port = 0;  ///< 0 for unix sockets
  bool trusted = false;    ///< [request] trusted_proxies names it
};

/// One client connection: reads requests, hands each to the crew, writes the answers in order, keeps every deadline. Never waits.
/// One thing at a time: it reads, or a handler runs, or it writes. Loop only.
/// Life time: the service's list owns it; it leaves that list by itself when its socket is closed and no operation is under way.
class Connection : public Deadlined {
 public:
  Connection(Service& service, UniqueFd fd, Peer peer);
  Connection(Service& service, UniqueFd fd, Peer peer, const Past& past, std::string_view unread);

  void start();
  /// The handler of the exchange has returned and the crew says so later than submit().
  void on_answer();
  void on_let_in();
  /// Its request has been taken out of the crew's queue: it goes to another worker with all that has been read. False: it cannot.
  bool hand_on();
  void on_deadline();
  void on_drain();
  /// It waits for a request and is to move: the wait ends, and nothing has been read.
  void interrupt();
  /// No thread will become free: what waits for one is refused.
  void on_all_stuck();
  /// Its request has been given to the crew, and its answer has not come back.
  bool waits_for_answer() const { return phase_ == Phase::handling; }
  /// It waits for a request, of which nothing has come.
  bool rests() const { return reading_ && waits_for_request(); }
  TimePoint last_activity() const { return last_activity_; }
  /// For others, while it rests.
  void make_way() { close(); }
  /// The worker gives up: true if a request was under way; it has got its access line.
  bool on_cut();

  boost::intrusive::list_member_hook<> hook;
  using DepartureHook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  DepartureHook departure_hook;

 private:
  enum class Phase {
    fresh,      ///< nothing has come yet
    idle,       ///< between two requests
    head,       ///< part of a head is there
    body,       ///< the head is complete, the body is not
    held,       ///< the request is complete, and the service holds it
    handling,   ///< the app has it, or it waits for a thread
    writing,    ///< the answer is on its way
    lingering,  ///< the answer is out and no other follows; what the client still sends is thrown away, so that no reset overtakes the answer
    closed,     ///< operations under way are waited for
  };

  // Reading.
  void go_on();
  void go_on_soon();
  bool parse();
  bool skip_proxy_header();
  void begin_exchange();
  void on_head(std::size_t size);
  void on_body(std::string_view piece);
  void settle_body();
  bool want_more();
  bool waits_for_request() const;
  void rest();
  bool move(std::string_view unread = {});
  void read();
  bool reads_request() const;
  bool reads() const;
  bool has_request() const;
  void read_now();
  void on_read(const boost::system::error_code& error, std::size_t bytes);
  void on_client_gone();
  InputBuffer& input();

  // Handling.
  void dispatch();
  void on_overdue(TimePoint now);
  void answer_timeout(TimePoint now);
  void let_go_of_exchange();
  bool client_half_closed() const;

  // Writing.
  void answer_error(int status, std::string_view reason, http::Outcome outcome);
  void write();
  void on_written();
  void next_request();
  void linger();
  void close();
  void end_operation();

  /// What the access line says of the answer, but for its status.
  struct Answered {
    std::string_view reason;
    std::uint64_t body = 0;  ///< bytes sent
  };
  Answered answered() const;
  std::uint64_t body_answered() const;  ///< bytes of the answer's body that are known to be sent
  std::uint64_t body_sent() const;
  std::string_view received() const;
  void log(int status, http::Outcome outcome);
  void log(int status, http::Outcome outcome, const Answered& answered);
  void write_access_line(int status, http::Outcome outcome, const Answered& answered);
  /// Once for each request; whether it is to have an access line.
  bool count(int status, http::Outcome outcome, std::uint64_t body);
  void wait_until(TimePoint deadline);
  void wait_idle();
  void hurry_head();

  /// Not of any executor, as Asio's own names are: that costs a virtual call at each step of each operation.
  using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

  Service& service_;
  Socket socket_;
  std::unique_ptr<Exchange> exchange_;  ///< none while fresh or idle
  InputBuffer input_;                   ///< while no exchange has it
  Peer peer_;
  TimePoint accepted_;
  TimePoint last_activity_;  ///< the last bytes read or the last answer written
  TimePoint body_begin_;
  std::size_t written_ = 0;  ///< of the answer's `out` and `tail`
  int requests_ = 0;
  int operations_ = 0;       ///< asynchronous operations whose handler will come
  Phase phase_ = Phase::fresh;
  http::Outcome outcome_ = http::Outcome::ok;
  bool reading_ = false;
  bool apart_ = false;       ///< the body is read into exchange_->body_input
  bool logged_ = false;      ///< this request has its access line
  bool untouched_ = true;    ///< nothing has been read
  bool proxy_header_due_;
};

}  // namespace serval::worker
