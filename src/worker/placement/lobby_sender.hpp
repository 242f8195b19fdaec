#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <functional>
#include <string_view>

#include "base/time.hpp"
#include "http/session.hpp"
#include "ipc/lobby.hpp"
#include "server/connection.hpp"
#include "server/observer.hpp"
#include "worker/placement/load_shedding.hpp"
#include "worker/placement/side_changes.hpp"

namespace serval::worker::placement {

/// The way into the lobby (ipc/lobby.hpp), for connections of a worker that drains, of one whose loop is overloaded,
/// for those that change between generations which are compared, and for requests that wait for a thread. Those of a
/// draining worker that wait for a request go a few in a turn of the loop; while the lobby is full they are served on.
/// Loop only; outlives its operations and every connection.
class LobbySender final : public server::Migration {
 public:
  struct Hooks {
    std::function<void()>
        on_empty;  ///< none waits for a request any more; a connection's own functions are on the stack
    std::function<void()> on_give_up;  ///< no worker takes anything out of the lobby
  };
  /// `entry`: of the lobby; -1: there is none. All are borrowed.
  LobbySender(boost::asio::io_context& io, int entry, const http::Farewell& farewell, LoadShedding& shedding,
              SideChanges& side_changes, Hooks hooks);

  bool possible() const { return entry_ >= 0; }
  /// The worker drains, and others take over.
  void begin();
  /// The others do not take over any more.
  void end() { moving_ = false; }
  bool moving() const { return moving_; }
  /// No connection waits for a request here.
  bool empty() const { return waiting_.empty(); }

  /// The request that the connection has in hand, which no thread has begun, goes with it. True: both are another
  /// worker's now.
  bool send_request(server::Connection& connection);
  TimePoint last_sent() const { return last_sent_; }  ///< min(): nothing was

  // server::Migration
  bool on_wait(server::Connection& connection) override;
  void on_farewell(server::Connection& connection) override { add(connection); }
  void on_wait_over(server::Connection& connection) override;

 private:
  void add(server::Connection& connection);
  bool send(server::Connection& connection, ipc::Guest guest, std::string_view unread);
  bool send_idle(server::Connection& connection, int leaves = 0);
  void continue_soon();
  void go_on();

  boost::asio::io_context& io_;
  const int entry_;
  const http::Farewell& farewell_;
  LoadShedding& shedding_;
  SideChanges& side_changes_;
  const Hooks hooks_;
  boost::asio::steady_timer timer_;
  boost::intrusive::list<server::Connection,
                         boost::intrusive::member_hook<server::Connection, server::Connection::WaitingHook,
                                                       &server::Connection::waiting_hook>,
                         boost::intrusive::constant_time_size<false>>
      waiting_;
  bool moving_ = false;
  bool scheduled_ = false;
  bool broken_ = false;
  TimePoint full_since_ = TimePoint::max();
  TimePoint last_sent_ = TimePoint::min();
};

}  // namespace serval::worker::placement
