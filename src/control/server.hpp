#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "control/commands.hpp"
#include "control/protocol.hpp"
#include "control/session.hpp"
#include "os/listen.hpp"

namespace serval::control {

/// A client that has connected and not said what it wants, or not all of it.
struct PendingClient {
  int fd = -1;
  std::string read{};
};

/// How a handler answers: at once or later, on the loop; safe after the client has gone away, when it does nothing.
/// Copies answer the same request. When the last copy is gone without a reply, the client is told that.
class Responder {
 public:
  explicit Responder(std::weak_ptr<Session> session);

  /// The client's connection; -1: it has gone away. For one that another process goes on with (Server::resume).
  int descriptor() const;
  /// For a client that waits; left out if the client reads too slowly.
  void progress(std::string text) const;
  /// The reply, once; what comes after it is dropped.
  void finish(json::object result) const;
  /// With a file that the client is to have.
  void finish(json::object result, UniqueFd file) const;
  void refuse(std::string error, int exit_code) const;

 private:
  struct Answer;
  std::shared_ptr<Answer> answer_;
};

/// Is given commands of the table (control/commands.hpp), with arguments that are right.
using Handler = std::function<void(const Command& command, const json::object& arguments, Responder responder)>;

/// Whether a process of user `peer` may give commands: root and the server's own user may; where the socket's mode lets
/// a group or others connect, every user that could.
bool may_command(uid_t peer, uid_t own, unsigned mode);

/// The listening end of the control socket. One thread, that of the io_context, which outlives this; nothing in here
/// blocks.
class Server final : private SessionOwner {
 public:
  /// Takes clients from now on, as soon as the io_context runs. Fails if the path is in use by a live server, is no
  /// socket, is too long, or cannot be bound; a socket that a dead server left is replaced.
  static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& io, const std::string& path, unsigned mode,
                                                ClientLimits limits = {});
  /// Goes on with one that listens already, of an earlier version of serval in this process.
  static std::unique_ptr<Server> take_over(boost::asio::io_context& io, os::Listening listening, std::string path,
                                           unsigned mode, ClientLimits limits = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Cuts off all clients; removes the socket file if it is still ours.
  ~Server();

  /// Called on the loop for each command. Until it is set, commands are given up without an answer.
  void on_command(Handler handler) { handler_ = std::move(handler); }

  /// Asked before each command that says which configuration it means; an error is its answer, with exit code 69.
  void admit(std::function<Result<void>(const ConfigFile& meant)> check) { check_meant_ = std::move(check); }

  /// Goes on at another place, or at the same one anew: clients that are here stay. The old socket file is removed if
  /// it is still ours.
  Result<void> listen_again(const std::string& path);

  /// A client whose request was read before: it waits for the answer. Owns `fd` from here.
  Responder resume(int fd);
  /// A client whose request was not: `read` is what had come of it. Owns `fd`, too.
  void hear(int fd, std::string read);
  /// Clients that have not said all of their request yet.
  std::vector<PendingClient> pending() const;
  /// Clients that wait for an answer, or for the rest of it.
  std::size_t unanswered() const;
  /// Called on the loop after a client has gone.
  void on_gone(std::function<void()> what) { on_gone_ = std::move(what); }

  const std::string& path() const { return path_; }
  /// The listening socket; its descriptor is borrowed.
  int descriptor();
  const os::Listening& listening() const { return listening_; }  ///< but for the descriptor
  std::size_t clients() const { return sessions_.size(); }

 private:
  Server(boost::asio::io_context& io, os::Listening listening, std::string path, unsigned mode, ClientLimits limits);
  void accept();
  void accept_one();
  bool make_room();
  void welcome(int fd);
  std::shared_ptr<Session> adopt(int fd);
  static Result<os::Listening> open(const std::string& path, unsigned mode);
  void handle(const Request& request, const std::shared_ptr<Session>& session) override;
  void perform(const Request& request, Responder responder);
  void forget(const std::shared_ptr<Session>& session) override;

  boost::asio::io_context& io_;
  os::Listening listening_;
  std::string path_;
  unsigned mode_;
  ClientLimits limits_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  bool accepting_ = false;  ///< a wait for the next client is under way
  /// What is on its way through the io_context sees by this that we are gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Handler handler_ = [](const Command&, const json::object&, const Responder&) {};
  std::vector<std::shared_ptr<Session>> sessions_;  ///< the oldest first
  std::function<void()> on_gone_ = [] {};
  std::function<Result<void>(const ConfigFile&)> check_meant_ = [](const auto&) { return Result<void>(); };
};

}  // namespace serval::control
