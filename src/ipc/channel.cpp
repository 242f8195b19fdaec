#include "ipc/channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/errno_text.hpp"
#include "os/fd_passing.hpp"

namespace serval::ipc {

Result<std::pair<Channel, Channel>> Channel::pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
    return Error{std::string("cannot make a channel between two processes: ") + errno_text()};
  }
  return std::pair{Channel(UniqueFd(fds[0])), Channel(UniqueFd(fds[1]))};
}

bool Channel::send(const Message& message, const std::vector<int>& fds) {
  iovec part = {const_cast<Message*>(&message), sizeof message};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  return os::send_with_fds(fd_.get(), header, fds) == static_cast<ssize_t>(sizeof message);
}

Channel::State Channel::receive(Received& received) {
  for (;;) {
    iovec part = {&received.message, sizeof received.message};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t size = os::receive_with_fds(fd_.get(), header, received.fds);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return State::empty;
    if (size <= 0) return State::closed;
    if (size == static_cast<ssize_t>(sizeof received.message) && (header.msg_flags & MSG_TRUNC) == 0) return State::received;
  }
}

Channel::State Channel::receive_wait(Received& received) {
  for (;;) {
    const State state = receive(received);
    if (state != State::empty) return state;
    pollfd readable = {fd_.get(), POLLIN, 0};
    ::poll(&readable, 1, -1);  // whatever it says, receive() finds out
  }
}

}  // namespace serval::ipc
