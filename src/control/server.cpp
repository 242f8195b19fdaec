#include "control/server.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/address.hpp"
#include "base/check.hpp"
#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "control/commands.hpp"

namespace serval::control {
namespace {

using Protocol = boost::asio::local::stream_protocol;

constexpr int kBacklog = 64;
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
/// With no descriptor to be had, trying again at once would be a loop.
constexpr auto kAcceptRetryDelay = std::chrono::milliseconds(100);

bool out_of_something(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

Reply refusal(std::string error, int exit_code) {
  return {.ok = false, .result = {}, .error = std::move(error), .exit_code = exit_code};
}

}  // namespace

// --- Responder

/// What all copies of one Responder share.
struct Responder::Answer {
  explicit Answer(std::weak_ptr<Session> client) : session(std::move(client)) {}
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() { reply(refusal("the server gave up the command without an answer", exit_code::internal)); }

  void reply(const Reply& what, UniqueFd file = UniqueFd()) const {
    if (const auto client = session.lock()) client->finish(what, std::move(file));
  }

  std::weak_ptr<Session> session;
};

Responder::Responder(std::weak_ptr<Session> session) : answer_(std::make_shared<Answer>(std::move(session))) {}

void Responder::progress(std::string text) const {
  if (const auto client = answer_->session.lock()) client->progress({std::move(text)});
}

int Responder::descriptor() const {
  const auto client = answer_->session.lock();
  return client ? client->descriptor() : -1;
}

void Responder::finish(json::object result) const {
  answer_->reply({.ok = true, .result = std::move(result), .error = {}, .exit_code = exit_code::ok});
}

void Responder::finish(json::object result, UniqueFd file) const {
  answer_->reply({.ok = true, .result = std::move(result), .error = {}, .exit_code = exit_code::ok}, std::move(file));
}

void Responder::refuse(std::string error, int exit_code) const { answer_->reply(refusal(std::move(error), exit_code)); }

// --- Server

bool may_command(uid_t peer, uid_t own, unsigned mode) { return peer == 0 || peer == own || (mode & 0077) != 0; }

Result<os::Listening> Server::open(const std::string& path, unsigned mode) {
  if (path.size() > kMaxPath) {
    return Error{"cannot listen on unix:" + path + ": the path has " + std::to_string(path.size()) +
                 " bytes, a socket's may have " + std::to_string(kMaxPath)};
  }
  Address address;
  address.kind = Address::Kind::unix_path;
  address.name = path;
  return os::listen_on(address, kBacklog, {.mode = static_cast<mode_t>(mode)});
}

Result<std::unique_ptr<Server>> Server::listen(boost::asio::io_context& io, const std::string& path, unsigned mode,
                                               ClientLimits limits) {
  auto listening = open(path, mode);
  if (!listening) return Error{listening.error()};
  return std::unique_ptr<Server>(new Server(io, std::move(*listening), path, mode, limits));
}

std::unique_ptr<Server> Server::take_over(boost::asio::io_context& io, os::Listening listening, std::string path,
                                          unsigned mode, ClientLimits limits) {
  return std::unique_ptr<Server>(new Server(io, std::move(listening), std::move(path), mode, limits));
}

Server::Server(boost::asio::io_context& io, os::Listening listening, std::string path, unsigned mode,
               ClientLimits limits)
    : io_(io),
      listening_(std::move(listening)),
      path_(std::move(path)),
      mode_(mode),
      limits_(limits),
      acceptor_(io),
      pause_(io) {
  acceptor_.assign(Protocol(), listening_.fd.release());
  accept();
}

Result<void> Server::listen_again(const std::string& path) {
  auto listening = open(path, mode_);
  if (!listening) return Error{listening.error()};
  os::remove_socket_file(listening_);  // not the new one: that is another inode
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  listening_ = std::move(*listening);
  path_ = path;
  acceptor_.assign(Protocol(), listening_.fd.release());
  accepting_ = false;  // what waited at the old one ends with an error, and leaves this alone
  accept();
  return {};
}

Server::~Server() {
  *alive_ = false;
  os::remove_socket_file(listening_);
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : std::exchange(sessions_, {})) session->close();
}

/// Not Asio's own accept: its descriptors are not close-on-exec. Where all clients wait for answers, a further one
/// waits in the kernel's queue.
void Server::accept() {
  if (accepting_ || !acceptor_.is_open()) return;
  if (sessions_.size() >= limits_.clients && unanswered() == sessions_.size()) return;
  accepting_ = true;
  acceptor_.async_wait(Protocol::acceptor::wait_read, [this, alive = alive_](const auto& error) {
    if (!*alive || error) return;
    accepting_ = false;
    if (make_room()) accept_one();
  });
}

/// A client that has sent no request would starve those that have one: the one that has been idle for longest goes.
/// A command that has come is never cut. False: there is no room until one has its answer (forget()).
bool Server::make_room() {
  if (sessions_.size() < limits_.clients) return true;
  const auto idle = std::find_if(sessions_.begin(), sessions_.end(), [](const auto& one) { return one->reads(); });
  if (idle == sessions_.end()) return false;
  const std::shared_ptr<Session> oldest = *idle;  // by itself, it would be gone with its place in the list
  oldest->give_way();
  return true;
}

void Server::accept_one() {
  const int fd = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && out_of_something(errno)) {
    accepting_ = true;
    pause_.expires_after(kAcceptRetryDelay);
    return pause_.async_wait([this, alive = alive_](const auto& error) {
      if (!*alive || error) return;
      accepting_ = false;
      accept();
    });
  }
  if (fd >= 0) welcome(fd);
  accept();
}

void Server::welcome(int fd) {
  UniqueFd client(fd);
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  if (!known || !may_command(peer.uid, ::geteuid(), mode_)) {
    const std::string why =
        "user " + std::to_string(peer.uid) + " may not command this server; its own user and root may";
    const std::string line = format(refusal(why, exit_code::unavailable));
    ::send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // a fresh socket has room for it
    return;
  }
  if (const auto session = adopt(client.release())) session->start();
}

/// Null if the descriptor is no socket, or cannot be watched.
std::shared_ptr<Session> Server::adopt(int fd) {
  Protocol::socket socket(io_);
  boost::system::error_code error;
  socket.assign(Protocol(), fd, error);
  if (error) {
    ::close(fd);
    return nullptr;
  }
  return sessions_.emplace_back(
      std::make_shared<Session>(static_cast<SessionOwner&>(*this), limits_, std::move(socket)));
}

Responder Server::resume(int fd) {
  const auto session = adopt(fd);
  if (session) session->resume();
  return Responder(session);
}

void Server::hear(int fd, std::string read) {
  if (const auto session = adopt(fd)) session->start(std::move(read));
}

std::vector<PendingClient> Server::pending() const {
  std::vector<PendingClient> result;
  for (const auto& session : sessions_) {
    if (session->reads()) result.push_back({session->descriptor(), session->heard()});
  }
  return result;
}

std::size_t Server::unanswered() const {
  return static_cast<std::size_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [](const auto& session) { return !session->reads(); }));
}

int Server::descriptor() { return acceptor_.native_handle(); }

void Server::handle(const Request& request, const std::shared_ptr<Session>& session) {
  perform(request, Responder(session));
}

void Server::perform(const Request& request, Responder responder) {
  const Command* command = find_command(request.command);
  if (command == nullptr) {
    return responder.refuse("this server knows no command " + quoted(shortened(request.command, 80)), exit_code::usage);
  }
  if (request.meant) {
    if (const auto ours = check_meant_(*request.meant); !ours) {
      return responder.refuse(ours.error(), exit_code::unavailable);
    }
  }
  if (const auto right = check_arguments(*command, request.arguments); !right) {
    return responder.refuse(right.error(), exit_code::usage);
  }
  handler_(*command, request.arguments, std::move(responder));
}

void Server::forget(const std::shared_ptr<Session>& session) {
  std::erase(sessions_, session);
  accept();
  boost::asio::post(io_, [this, alive = alive_] {
    if (*alive) on_gone_();
  });
}

}  // namespace serval::control
