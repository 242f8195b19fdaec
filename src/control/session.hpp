#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "control/protocol.hpp"
#include "os/unique_fd.hpp"

namespace serval::control {

/// What one client may cost.
struct ClientLimits {
  std::size_t clients = 64;                                ///< at a time; one more takes the room of one that idles
  Duration request_timeout = std::chrono::seconds(5);      ///< for the whole request, from the connection on
  Duration write_timeout = std::chrono::seconds(10);       ///< without progress in reading an answer
};

class Session;

/// What a session belongs to. It closes its sessions before it goes away itself.
class SessionOwner {
 public:
  /// The request has come; its answer goes to the session.
  virtual void handle(const Request& request, const std::shared_ptr<Session>& session) = 0;
  /// The session is closed.
  virtual void forget(const std::shared_ptr<Session>& session) = 0;

 protected:
  ~SessionOwner() = default;
};

/// One client: reads its request, hands it to its owner, writes the answer, and closes. Shared by the owner and by
/// completions that are on their way; `close()` ends it for both.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(SessionOwner& owner, const ClientLimits& limits, boost::asio::local::stream_protocol::socket socket);

  /// `heard`: what has come of the request already.
  void start(std::string heard = {});
  /// The request was read by an earlier version of serval in this process, which left its answer to us.
  void resume();
  int descriptor();  ///< -1: closed
  bool reads() const { return !answering_; }  ///< the request is not there yet
  const std::string& heard() const { return input_; }
  void progress(const Progress& progress);
  /// `file` goes with it; none: nothing does.
  void finish(const Reply& reply, UniqueFd file = UniqueFd());
  /// Of one that reads: another client needs its room, and it is told so.
  void give_way();
  /// At once, whatever is under way. Idempotent.
  void close();

 private:
  void read();
  void on_read(const boost::system::error_code& error, std::size_t size);
  void refuse(std::string error, int exit_code);
  void notice_hangup();
  void flush();
  void write_with_file();
  void on_written(const boost::system::error_code& error, std::size_t size);
  void arm(Duration patience, void (Session::*then)());
  void on_late_request();

  SessionOwner* owner_;  ///< null: closed
  ClientLimits limits_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer timer_;
  std::array<char, 4096> piece_;
  std::string input_;
  std::string output_;      ///< not handed to the socket yet
  std::string writing_;
  UniqueFd file_;           ///< goes with the reply
  std::size_t written_ = 0;  ///< of writing_
  bool busy_ = false;        ///< a write is under way
  bool answering_ = false;   ///< the request has been read, or given up
  bool finished_ = false;    ///< the reply is in output_ or on its way
};

}  // namespace serval::control
