#include "os/listen.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_text.hpp"
#include "os/socket_address.hpp"

namespace serval::os {
namespace {

Error cannot_listen(const Address& address, const std::string& why) {
  return Error{"cannot listen on " + address.text() + ": " + why};
}

Error cannot_bind(const Address& address, int error) {
  if (error == EADDRINUSE) {
    return cannot_listen(address,
                         errno_text(error) + "; another program listens there, stop it or choose another address");
  }
  if (error == EACCES && address.kind == Address::Kind::tcp) {
    return cannot_listen(address,
                         errno_text(error) + "; ports below 1024 need root, CAP_NET_BIND_SERVICE or a systemd socket");
  }
  if (error == EADDRNOTAVAIL) {
    return cannot_listen(address, errno_text(error) + "; no interface of this machine has it");
  }
  if (error == ENOENT) return cannot_listen(address, errno_text(error) + "; create its folder first");
  return cannot_listen(address, errno_text(error));
}

Result<UniqueFd> open_socket(const Address& address, const SocketAddress& at, bool only_v6) {
  UniqueFd fd(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return cannot_listen(address, errno_text());
  if (address.kind != Address::Kind::tcp) return fd;
  const int on = 1;
  // Not kept out by connections in TIME_WAIT (socket(7)).
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.storage.ss_family == AF_INET6) {
    const int alone = address.host == "::" && !only_v6 ? 0 : 1;
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
  }
  return fd;
}

/// What the umask leaves of 0777 is the mode of the new socket file (unix(7)).
int bind_with_mode(int fd, const SocketAddress& at, std::optional<mode_t> mode) {
  if (!mode) return ::bind(fd, at.pointer(), at.size);
  const mode_t before = ::umask(~*mode & 0777);
  const int result = ::bind(fd, at.pointer(), at.size);
  const int error = errno;
  ::umask(before);
  errno = error;
  return result;
}

int int_option(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// Lets everything through but a TCP segment with SYN and without ACK, which only opens connections (RFC 9293 §3.1; the
/// filter of a TCP socket sees its header first). The last ACK of a handshake and data pass, so what has begun ends
/// well.
Result<void> drop_syns(int fd) {
  constexpr unsigned kFlagsByte = 13;
  constexpr unsigned kSyn = 0x02;
  constexpr unsigned kAck = 0x10;
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsByte),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, ~0U),
  };
  const sock_fprog program{static_cast<unsigned short>(sizeof code / sizeof code[0]), code};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
    // Nothing that a server without privileges could do about it. listen(2) on a listener changes its backlog; 0 has room for one.
    if (errno == EPERM && ::listen(fd, 0) == 0) return {};
    return Error{"cannot refuse new connections: SO_ATTACH_FILTER: " + errno_text()};
  }
  return {};
}

}  // namespace

Result<Listening> listen_on(const Address& address, int backlog, const FileAccess& access, bool only_v6) {
  if (address.kind == Address::Kind::systemd) {
    return cannot_listen(address,
                         "systemd hands over no socket of this name; see FileDescriptorName= in the .socket unit");
  }
  const SocketAddress at = socket_address_of(address);
  std::optional<SocketPathLock> lock;
  if (address.kind == Address::Kind::unix_path) {
    lock.emplace(address.name);
    if (!*lock && errno == EAGAIN) return cannot_listen(address, "another program begins to listen there just now");
    if (const auto cleared = clear_path(address.name, *lock); !cleared) return cannot_listen(address, cleared.error());
  }
  auto fd = open_socket(address, at, only_v6);
  if (!fd) return Error{fd.error()};
  if (bind_with_mode(fd->get(), at, access.mode) != 0) return cannot_bind(address, errno);
  if (address.kind == Address::Kind::unix_path) {
    if (const auto given = set_file_access(address.name, access); !given) {
      ::unlink(address.name.c_str());
      return cannot_listen(address, given.error());
    }
  }
  if (::listen(fd->get(), backlog) != 0) return cannot_bind(address, errno);

  Listening listening;
  listening.address = address_of(bound_socket_address(fd->get())).text();
  listening.local = address.kind != Address::Kind::tcp;
  listening.fd = std::move(*fd);
  if (address.kind == Address::Kind::unix_path) own_socket_file(listening, address.name);
  return listening;
}

bool takes_ipv4(int fd) {
  int only_v6 = 1;
  socklen_t size = sizeof only_v6;
  return ::getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &size) == 0 && only_v6 == 0;
}

/// The port itself may be taken, by the running server for one.
Result<void> bind_and_leave(const Address& address) {
  Address any_port = address;
  any_port.port = 0;
  const SocketAddress at = socket_address_of(any_port);
  const auto fd = open_socket(address, at, false);
  if (!fd) return Error{fd.error()};
  if (::bind(fd->get(), at.pointer(), at.size) != 0) return cannot_bind(address, errno);
  return {};
}

Result<Listening> adopt(UniqueFd fd, const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    return Error{"cannot use the inherited socket \"" + name + "\": " + why};
  };
  const SocketAddress at = bound_socket_address(fd.get());
  if (at.size == 0) return refuse(errno_text());
  const int family = at.storage.ss_family;
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
    return refuse("it is neither TCP nor a unix socket");
  }
  if (int_option(fd.get(), SO_TYPE) != SOCK_STREAM) {
    return refuse("it is no stream socket; use ListenStream= in the .socket unit");
  }
  if (int_option(fd.get(), SO_ACCEPTCONN) != 1) {
    return refuse("it does not listen; leave Accept=no in the .socket unit");
  }
  const int status = ::fcntl(fd.get(), F_GETFL);
  if (status < 0 || ::fcntl(fd.get(), F_SETFL, status | O_NONBLOCK) != 0) return refuse(errno_text());
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) return refuse(errno_text());

  Listening listening;
  listening.address = address_of(at).text();
  listening.local = family == AF_UNIX;
  listening.fd = std::move(fd);
  return listening;
}

std::optional<AcceptQueue> accept_queue(int listen_fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(listen_fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != TCP_LISTEN)
    return std::nullopt;
  return AcceptQueue{info.tcpi_unacked, info.tcpi_sacked};
}

std::string bound_address(int fd) {
  const SocketAddress at = bound_socket_address(fd);
  const int family = at.size == 0 ? AF_UNSPEC : at.storage.ss_family;
  return family == AF_INET || family == AF_INET6 || family == AF_UNIX ? address_of(at).text() : "";
}

void own_socket_file(Listening& listening, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  listening.socket_file = path;
  listening.file_device = status.st_dev;
  listening.file_inode = status.st_ino;
}

bool socket_file_is_there(const Listening& listening) {
  if (listening.socket_file.empty()) return true;
  struct stat status {};
  if (::lstat(listening.socket_file.c_str(), &status) != 0) return false;
  return status.st_dev == listening.file_device && status.st_ino == listening.file_inode;
}

void remove_socket_file(const Listening& listening) {
  if (!listening.socket_file.empty() && socket_file_is_there(listening)) ::unlink(listening.socket_file.c_str());
}

Result<void> refuse_new_connections(int listen_fd) {
  if (int_option(listen_fd, SO_DOMAIN) != AF_UNIX) return drop_syns(listen_fd);
  if (::shutdown(listen_fd, SHUT_RD) != 0) return Error{"cannot refuse new connections: shutdown: " + errno_text()};
  return {};
}

}  // namespace serval::os
