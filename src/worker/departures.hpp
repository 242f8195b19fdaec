#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <functional>
#include <string_view>

#include "base/time.hpp"
#include "ipc/lobby.hpp"
#include "worker/connection.hpp"

namespace serval::worker {

/// The connections of a draining worker that wait for a request. If there is somebody to take them over they go into the lobby, a few in a turn of
/// the loop; while it is full they are served on. Also the way into the lobby for requests that Balance moves. Loop only; outlives its operations and
/// every connection.
class Departures {
 public:
  struct Hooks {
    std::function<void()> on_empty;    ///< the last one has gone, been closed, or got a request; a connection's own functions are on the stack
    std::function<void()> on_give_up;  ///< the lobby takes nobody
  };
  /// `entry`: of the lobby, borrowed; -1: there is none.
  Departures(boost::asio::io_context& io, int entry, Hooks hooks);

  bool possible() const { return entry_ >= 0; }
  void begin();
  /// Nobody takes over any more.
  void end() { moving_ = false; }
  bool moving() const { return moving_; }

  /// It waits for a request here. Once is enough.
  void add(Connection& connection);
  /// It does not any more.
  void remove(Connection& connection);
  bool empty() const { return waiting_.empty(); }

  /// True: it is somebody else's now, with what has been read of it. False: the lobby is full; if it is in here, it has its turn again.
  bool send(const ipc::Guest& guest, int connection, std::string_view unread = {});
  TimePoint last_sent() const { return last_sent_; }  ///< min(): none was

 private:
  void go_on_soon();
  void go_on();

  boost::asio::io_context& io_;
  const int entry_;
  const Hooks hooks_;
  boost::asio::steady_timer timer_;
  boost::intrusive::list<Connection, boost::intrusive::member_hook<Connection, Connection::DepartureHook, &Connection::departure_hook>,
                         boost::intrusive::constant_time_size<false>>
      waiting_;
  bool moving_ = false;
  bool scheduled_ = false;
  bool broken_ = false;
  TimePoint full_since_ = TimePoint::max();
  TimePoint last_sent_ = TimePoint::min();
};

}  // namespace serval::worker
