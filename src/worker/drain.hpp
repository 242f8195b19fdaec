#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

#include "base/exit_code.hpp"
#include "base/time.hpp"
#include "ipc/messages.hpp"
#include "server/hub.hpp"
#include "worker/intake.hpp"
#include "worker/overdue_handlers.hpp"
#include "worker/placement/lobby_sender.hpp"
#include "worker/threads/handler_pool.hpp"

namespace serval::worker {

/// How a worker leaves: it answers what it has and what waits for it, or hands that on, tells the master how far it is,
/// and ends. Loop only.
class Drain {
 public:
  /// All are borrowed.
  struct Parts {
    boost::asio::io_context& io;
    server::Hub& hub;
    Intake& intake;
    placement::LobbySender& lobby;
    HandlerPool& pool;
    OverdueHandlers& overdue;
    Duration grace;
    std::function<void(const ipc::FromWorker&)> tell_master;
    std::function<void()> flush;  ///< nothing may be left unsaid
    std::function<void()> leave;  ///< nothing is left here: the process ends
  };
  explicit Drain(Parts parts) : parts_(std::move(parts)), grace_(parts_.io), last_look_(parts_.io) {}

  bool begun() const { return parts_.hub.farewell.draining; }
  /// The master has not been told why: the exit code is to say it. Before begin().
  void unannounced() { exit_code_ = exit_code::unfit; }
  /// That the process is to end with.
  int exit_code() const { return exit_code_; }
  /// Connections go, whether others take them over or not: to the lobby when they are idle, or with their next answer.
  void begin(bool others_take_over);
  /// It drains with others to take over, and now all go.
  void stop_after_all();
  /// The lobby takes nothing, or others do not take over any more.
  void say_goodbye();
  /// Something ended: a connection, a handler, a wait.
  void check();
  /// No connection waits for a request any more.
  void on_none_waits() { tell_if_left(); }

 private:
  void on_closed();
  void tell_if_left();
  void tell_if_only_stuck_are_left();
  void leave();
  bool guests_wait() const;
  void on_grace_over();

  const Parts parts_;
  boost::asio::steady_timer grace_;
  boost::asio::steady_timer last_look_;  ///< into the lobby
  bool others_take_over_ = false;
  bool told_left_ = false;
  bool told_stuck_ = false;
  bool finished_ = false;
  int exit_code_ = exit_code::ok;
};

}  // namespace serval::worker
