#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <array>
#include <memory>
#include <string>

#include "control/protocol.hpp"
#include "control/server.hpp"

namespace serval::control {

/// One client: reads its request, hands it to the server, writes what a Responder says, and closes. Shared by the server and by completions
/// that are on their way; `close()` ends it for both.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// `server` outlives the session's life in it: it closes it before it goes away itself.
  Session(Server& server, boost::asio::local::stream_protocol::socket socket);

  /// `heard`: what has come of the request already.
  void start(std::string heard = {});
  /// The request was read by somebody else, who left it to us to answer.
  void resume();
  int descriptor();  ///< -1: closed
  bool reads() const { return !answering_; }  ///< the request is not there yet
  const std::string& heard() const { return input_; }
  void progress(const Progress& progress);
  void finish(const Reply& reply);
  /// At once, whatever is under way. Idempotent.
  void close();

 private:
  void read();
  void on_read(const boost::system::error_code& error, std::size_t size);
  void refuse(std::string error);
  void notice_hangup();
  void flush();
  void on_written(const boost::system::error_code& error, std::size_t size);
  void arm(Duration patience, void (Session::*then)());
  void on_late_request();

  Server* server_;  ///< null: closed
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer timer_;
  std::array<char, 4096> piece_;
  std::string input_;
  std::string output_;      ///< not handed to the socket yet
  std::string writing_;
  std::size_t written_ = 0;  ///< of writing_
  bool busy_ = false;        ///< a write is under way
  bool answering_ = false;   ///< the request has been read, or given up
  bool finished_ = false;    ///< the reply is in output_ or on its way
};

}  // namespace serval::control
