#include "ipc/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "base/errno_text.hpp"
#include "os/fd_passing.hpp"

namespace serval::ipc {

// What PIPE_BUF promises: a packet is written whole or not at all (pipe(7)).
static_assert(sizeof(Packet) <= 4096);

Result<std::pair<Channel, Channel>> Channel::pair() {
  const auto failed = [] { return Error{"cannot make a channel between two processes: " + errno_text()}; };
  int socket[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, socket) != 0) return failed();
  UniqueFd master_out(socket[0]);
  UniqueFd app_in(socket[1]);
  // From here on whatever the app sends into it is refused (EPIPE): nothing waits there for us to close.
  if (::shutdown(master_out.get(), SHUT_RD) != 0) return failed();
  int pipe[2];
  if (::pipe2(pipe, O_DIRECT | O_NONBLOCK | O_CLOEXEC) != 0) return failed();
  return std::pair{Channel(End::master, UniqueFd(pipe[0]), std::move(master_out)),
                   Channel(End::app, std::move(app_in), UniqueFd(pipe[1]))};
}

void Channel::close() {
  in_.reset();
  out_.reset();
}

bool Channel::send(const Packet& packet, const std::vector<int>& fds) {
  if (end_ == End::app) {
    SERVAL_CHECK(fds.empty());
    ssize_t written = -1;
    do {
      written = ::write(out_.get(), &packet, sizeof packet);
    } while (written < 0 && errno == EINTR);
    return written == static_cast<ssize_t>(sizeof packet);
  }
  iovec part = {const_cast<Packet*>(&packet), sizeof packet};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  return os::send_with_fds(out_.get(), header, fds) == static_cast<ssize_t>(sizeof packet);
}

Channel::State Channel::receive(Received& received) {
  return end_ == End::app ? receive_from_socket(received) : receive_from_pipe(received);
}

Channel::State Channel::receive_from_socket(Received& received) {
  iovec part = {&received.packet, sizeof received.packet};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  const ssize_t size = os::receive_with_fds(in_.get(), header, received.fds);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return State::empty;
  if (size <= 0) return State::closed;
  const bool whole = size == static_cast<ssize_t>(sizeof received.packet) && (header.msg_flags & MSG_TRUNC) == 0;
  return whole ? State::received : State::malformed;
}

Channel::State Channel::receive_from_pipe(Received& received) {
  received.fds.clear();
  // A byte more than a packet has: a longer packet, or packets that a writer without O_DIRECT has run together, show by
  // it.
  char bytes[sizeof(Packet) + 1];
  ssize_t size = -1;
  do {
    size = ::read(in_.get(), bytes, sizeof bytes);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return State::empty;
  if (size <= 0) return State::closed;
  if (size != static_cast<ssize_t>(sizeof(Packet))) return State::malformed;
  std::memcpy(&received.packet, bytes, sizeof(Packet));
  return State::received;
}

}  // namespace serval::ipc
