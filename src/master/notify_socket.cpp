#include "master/notify_socket.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/errno_text.hpp"
#include "base/text.hpp"

namespace serval::master {
namespace {

constexpr std::size_t kMaxDatagram = 4096;
constexpr std::size_t kMaxStatus = 200;

/// What has sent it, as the kernel says (SCM_CREDENTIALS); pid 0: it does not.
ucred sender_of(const msghdr& message) {
  for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(part))) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred sender = {};
    std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
    return sender;
  }
  return {};
}

bool is_of_program(const ucred& sender, pid_t leader) {
  if (sender.pid == 0) return false;
  if (sender.pid == leader || ::getsid(sender.pid) == leader) return true;
  if (::kill(sender.pid, 0) == 0 || errno != ESRCH) return false;
  struct stat program = {};
  return ::stat(("/proc/" + std::to_string(leader)).c_str(), &program) == 0 && program.st_uid == sender.uid;
}

}  // namespace

Result<NotifySocket> NotifySocket::open() {
  NotifySocket socket;
  socket.fd.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof(sa_family_t);  // autobind (unix(7))
  const bool bound = socket.fd && ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
                     ::bind(socket.fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
  size = sizeof address;
  if (!bound || ::getsockname(socket.fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return Error{"cannot open its NOTIFY_SOCKET: " + errno_text()};
  const std::size_t length = size - offsetof(sockaddr_un, sun_path);
  socket.address = "@" + std::string(address.sun_path + 1, length - 1);
  return socket;
}

Notification parse_notification(std::string_view datagram) {
  Notification said;
  constexpr std::string_view kStatus = "STATUS=";
  for (const auto line : split(datagram, '\n')) {
    if (line == "READY=1") said.ready = true;
    if (line.starts_with(kStatus)) said.status = shortened(line.substr(kStatus.size()), kMaxStatus);
  }
  return said;
}

/// Descriptors that come along (FDSTORE=1) are not taken: without room for them the kernel closes them.
std::optional<Notification> receive_notification(int fd, pid_t leader) {
  std::array<char, kMaxDatagram> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  for (;;) {
    iovec room = {text.data(), text.size()};
    msghdr message = {};
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    if (!is_of_program(sender_of(message), leader)) return Notification();
    return parse_notification({text.data(), static_cast<std::size_t>(size)});
  }
}

}  // namespace serval::master
