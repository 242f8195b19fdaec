#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "net/transport.hpp"

namespace serval::net {

namespace {

Transport::Result failure() {
  return {0, errno == EAGAIN || errno == EWOULDBLOCK ? Transport::State::would_block : Transport::State::failed};
}

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int socket) : socket_(socket) {}

  Result read(char* into, std::size_t size) override {
    ssize_t bytes;
    do {
      bytes = ::recv(socket_, into, size, 0);
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) return failure();
    return {static_cast<std::size_t>(bytes), bytes == 0 ? State::closed : State::done};
  }

  Result write(OutputQueue& from) override {
    const std::string_view only = from.only();
    ssize_t bytes;
    do {
      bytes = only.empty() ? send_pieces(from) : ::send(socket_, only.data(), only.size(), MSG_NOSIGNAL);
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) return failure();
    from.consume(static_cast<std::size_t>(bytes));
    return {static_cast<std::size_t>(bytes), State::done};
  }

  bool peer_has_closed() const override {
    char byte;
    return ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  void half_close() override { ::shutdown(socket_, SHUT_WR); }
  std::string_view scheme() const override { return "http"; }

 private:
  ssize_t send_pieces(const OutputQueue& from) const {
    std::array<iovec, 8> room;
    const std::span<const iovec> pieces = from.front(room);
    msghdr message{};
    message.msg_iov = room.data();
    message.msg_iovlen = pieces.size();
    return ::sendmsg(socket_, &message, MSG_NOSIGNAL);
  }

  const int socket_;
};

}  // namespace

std::unique_ptr<Transport> plain_transport(int socket) { return std::make_unique<PlainTransport>(socket); }

}  // namespace serval::net
