#include "net/stream_socket.hpp"

#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace serval::net {

namespace asio = boost::asio;

StreamSocket::StreamSocket(asio::io_context& io, UniqueFd fd, bool local, Owner& owner)
    : io_(io), socket_(io), owner_(owner) {
  const int family = local ? AF_UNIX : AF_INET;  // the protocol only tells Asio that this is a stream
  socket_.assign(asio::generic::stream_protocol(family, 0), fd.release());
  socket_.non_blocking(true);
}

/// Waits first: Asio would try to read at once, and after an answer there is hardly ever something yet.
void StreamSocket::wait_to_read() {
  if (std::exchange(reading_, true)) return;
  ++operations_;
  socket_.async_wait(asio::socket_base::wait_read, [this](const boost::system::error_code& error) {
    reading_ = false;
    end_operation();
    if (closed_) return;
    error == asio::error::operation_aborted ? owner_.on_interrupted() : owner_.on_readable();
  });
}

void StreamSocket::wait_to_write() {
  if (std::exchange(writing_, true)) return;
  ++operations_;
  socket_.async_wait(asio::socket_base::wait_write, [this](const boost::system::error_code&) {
    writing_ = false;
    end_operation();
    if (!closed_) owner_.on_writable();
  });
}

void StreamSocket::post() {
  ++operations_;
  asio::post(io_, [this] {
    end_operation();
    if (!closed_) owner_.on_posted();
  });
}

void StreamSocket::interrupt() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void StreamSocket::close() {
  if (std::exchange(closed_, true)) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  ++operations_;
  end_operation();
}

void StreamSocket::release() {
  // The new owner has the same open file: ours must leave epoll by itself, since closing does not take it out while
  // others have it (epoll(7)).
  boost::system::error_code ignored;
  const UniqueFd ours(socket_.release(ignored));
}

/// The last operation of a closed socket is the end.
void StreamSocket::end_operation() {
  if (--operations_ == 0 && closed_) owner_.on_over();
}

}  // namespace serval::net
