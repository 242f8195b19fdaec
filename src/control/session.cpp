#include "control/session.hpp"

#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <utility>

#include "base/exit_code.hpp"
#include "os/fd_passing.hpp"

namespace serval::control {
namespace {

namespace asio = boost::asio;

/// Progress is for clients that keep up with it.
constexpr std::size_t kMaxUnread = 64 * 1024;

}  // namespace

Session::Session(SessionOwner& owner, const ClientLimits& limits, asio::local::stream_protocol::socket socket)
    : owner_(&owner), limits_(limits), socket_(std::move(socket)), timer_(socket_.get_executor()) {}

void Session::start(std::string heard) {
  input_ = std::move(heard);
  arm(limits_.request_timeout, &Session::on_late_request);
  read();
}

void Session::read() {
  socket_.async_read_some(asio::buffer(piece_), [self = shared_from_this()](const auto& error, std::size_t size) {
    self->on_read(error, size);
  });
}

void Session::resume() {
  answering_ = true;
  if (socket_.is_open()) notice_hangup();
}

int Session::descriptor() { return owner_ == nullptr || finished_ ? -1 : socket_.native_handle(); }

void Session::on_read(const boost::system::error_code& error, std::size_t size) {
  if (owner_ == nullptr || answering_) return;
  // A client that says nothing may only want to know whether a server listens here.
  if (error && (input_.empty() || error != asio::error::eof)) return close();
  if (error) return refuse("the request ends without an end of line", exit_code::usage);
  input_.append(piece_.data(), size);
  const std::size_t end = input_.find('\n');
  if (end == std::string::npos && input_.size() < kMaxRequest) return read();
  if (end >= kMaxRequest) {
    return refuse("the request is longer than " + std::to_string(kMaxRequest) + " bytes", exit_code::usage);
  }
  answering_ = true;
  timer_.cancel();
  const auto request = parse_request(std::string_view(input_).substr(0, end));
  if (!request) return refuse(request.error(), exit_code::usage);
  notice_hangup();
  owner_->handle(*request, shared_from_this());
}

void Session::on_late_request() {
  if (!answering_) refuse("no request came in time", exit_code::usage);
}

void Session::give_way() {
  refuse("other clients need the room, and no request had come yet", exit_code::unavailable);
}

void Session::refuse(std::string error, int exit_code) {
  answering_ = true;
  finish({.ok = false, .result = {}, .error = std::move(error), .exit_code = exit_code});
}

/// A client that has only ended its sending side still reads; that is no hangup (poll(2)).
void Session::notice_hangup() {
  socket_.async_wait(asio::socket_base::wait_error, [self = shared_from_this()](const auto& error) {
    if (!error) self->close();
  });
}

void Session::progress(const Progress& progress) {
  if (owner_ == nullptr || finished_ || output_.size() > kMaxUnread) return;
  output_ += format(progress);
  flush();
}

void Session::finish(const Reply& reply, UniqueFd file) {
  if (owner_ == nullptr || finished_) return;
  finished_ = true;
  file_ = std::move(file);
  output_ += format(reply);
  flush();
}

void Session::flush() {
  if (busy_) return;  // its completion comes back here
  if (written_ == writing_.size()) {
    writing_ = std::exchange(output_, {});
    written_ = 0;
    timer_.cancel();
    if (writing_.empty()) return finished_ ? close() : void();
  }
  busy_ = true;
  arm(limits_.write_timeout, &Session::close);
  if (finished_ && file_ && written_ == 0) {
    socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](const auto& error) {
      if (!error && self->owner_ != nullptr) self->write_with_file();
    });
    return;
  }
  socket_.async_write_some(
      asio::buffer(writing_) + written_,
      [self = shared_from_this()](const auto& error, std::size_t size) { self->on_written(error, size); });
}

/// A descriptor travels with bytes, and arrives with the first of them (unix(7)).
void Session::write_with_file() {
  iovec part = {writing_.data(), writing_.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const int fd = file_.get();
  const ssize_t sent = os::send_with_fds(socket_.native_handle(), message, {&fd, 1});
  if (sent < 0 && errno != EAGAIN) return close();
  if (sent > 0) file_.reset();
  on_written({}, sent > 0 ? static_cast<std::size_t>(sent) : 0);
}

void Session::on_written(const boost::system::error_code& error, std::size_t size) {
  if (owner_ == nullptr) return;
  if (error) return close();
  busy_ = false;
  written_ += size;
  flush();
}

void Session::arm(Duration patience, void (Session::*then)()) {
  timer_.expires_after(patience);
  timer_.async_wait([self = shared_from_this(), then](const auto& error) {
    if (!error) ((*self).*then)();
  });
}

void Session::close() {
  if (owner_ == nullptr) return;
  SessionOwner& owner = *std::exchange(owner_, nullptr);
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  owner.forget(shared_from_this());
}

}  // namespace serval::control
