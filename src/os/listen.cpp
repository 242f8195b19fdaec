#include "os/listen.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/errno_text.hpp"

namespace serval::os {
namespace {

/// A socket address of any family, with its size.
struct Place {
  sockaddr_storage storage{};
  socklen_t size = 0;

  template <class T>
  T& as() {
    return *reinterpret_cast<T*>(&storage);
  }
  template <class T>
  const T& as() const {
    return *reinterpret_cast<const T*>(&storage);
  }
  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Place place_of(const Address& address) {
  Place place;
  if (address.kind != Address::Kind::tcp) {
    auto& un = place.as<sockaddr_un>();
    un.sun_family = AF_UNIX;
    // An abstract name starts with a NUL and ends where the size says; a path ends with a NUL (unix(7)).
    const std::size_t skip = address.kind == Address::Kind::unix_abstract ? 1 : 0;
    address.name.copy(un.sun_path + skip, sizeof un.sun_path - 1);
    place.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.name.size() + 1);
  } else if (auto& v6 = place.as<sockaddr_in6>(); ::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    place.size = sizeof v6;
  } else {
    auto& v4 = place.as<sockaddr_in>();
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host == "localhost" ? "127.0.0.1" : address.host.c_str(), &v4.sin_addr);
    place.size = sizeof v4;
  }
  return place;
}

Place bound_place(int fd) {
  Place place;
  place.size = sizeof place.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&place.storage), &place.size) != 0) place.size = 0;
  return place;
}

/// What getsockname says, as an Address.
Address address_of(const Place& place) {
  Address address;
  char text[INET6_ADDRSTRLEN] = {};
  if (place.storage.ss_family == AF_INET6) {
    address.host = ::inet_ntop(AF_INET6, &place.as<sockaddr_in6>().sin6_addr, text, sizeof text);
    address.port = ntohs(place.as<sockaddr_in6>().sin6_port);
  } else if (place.storage.ss_family == AF_INET) {
    address.host = ::inet_ntop(AF_INET, &place.as<sockaddr_in>().sin_addr, text, sizeof text);
    address.port = ntohs(place.as<sockaddr_in>().sin_port);
  } else {
    const char* path = place.as<sockaddr_un>().sun_path;
    const std::size_t size = place.size > offsetof(sockaddr_un, sun_path) ? place.size - offsetof(sockaddr_un, sun_path) : 0;
    const bool abstract = size > 0 && path[0] == '\0';
    address.kind = abstract ? Address::Kind::unix_abstract : Address::Kind::unix_path;
    address.name = abstract ? std::string(path + 1, size - 1) : std::string(path, ::strnlen(path, size));
  }
  return address;
}

Error cannot_listen(const Address& address, const std::string& why) { return Error{"cannot listen on " + address.text() + ": " + why}; }

Error cannot_bind(const Address& address, int error) {
  if (error == EADDRINUSE) return cannot_listen(address, errno_text(error) + "; another program listens there, stop it or choose another address");
  if (error == EACCES && address.kind == Address::Kind::tcp) {
    return cannot_listen(address, errno_text(error) + "; ports below 1024 need root, CAP_NET_BIND_SERVICE or a systemd socket");
  }
  if (error == EADDRNOTAVAIL) return cannot_listen(address, errno_text(error) + "; no interface of this machine has it");
  if (error == ENOENT) return cannot_listen(address, errno_text(error) + "; create its folder first");
  return cannot_listen(address, errno_text(error));
}

/// Held from the look at a path until somebody listens there: between bind(2) and listen(2) a new socket looks like a stale one, and of those who find
/// the same stale one a single one may remove it. It is a file of our own beside the socket, gone afterwards.
class PathLock {
 public:
  explicit PathLock(const std::string& path) : path_(path + ".lock") {
    UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    struct flock all = {};
    all.l_type = F_WRLCK;
    all.l_whence = SEEK_SET;
    if (!fd || ::fcntl(fd.get(), F_OFD_SETLK, &all) != 0) return;
    struct stat held {}, named {};  // whoever had it may have removed it before we had the lock
    const bool ours = ::fstat(fd.get(), &held) == 0 && ::lstat(path_.c_str(), &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino;
    if (ours) fd_ = std::move(fd);
    if (!ours) errno = EAGAIN;
  }
  ~PathLock() {
    if (fd_) ::unlink(path_.c_str());
  }
  PathLock(const PathLock&) = delete;
  PathLock& operator=(const PathLock&) = delete;
  explicit operator bool() const { return static_cast<bool>(fd_); }  ///< if not, errno says why; EAGAIN: somebody else has it

 private:
  std::string path_;
  UniqueFd fd_;
};

/// Makes way for a new socket file: only a socket that nobody listens on any more is removed. A dead one never comes to life again.
Result<void> clear_path(const Address& address, const Place& place, const PathLock& lock) {
  struct stat status {};
  if (::lstat(address.name.c_str(), &status) != 0) return {};  // bind says what is wrong, if anything but ENOENT is
  if (!S_ISSOCK(status.st_mode)) return cannot_listen(address, "the path exists and is no socket; move it away or choose another path");
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return cannot_listen(address, "no socket to probe with: " + errno_text());
  // EAGAIN is a listener with a full queue; EPROTOTYPE one of another type (unix(7)).
  if (::connect(probe.get(), place.pointer(), place.size) == 0 || errno == EAGAIN || errno == EPROTOTYPE) {
    return cannot_listen(address, "another program listens there; stop it or choose another path");
  }
  if (errno == ENOENT) return {};
  if (errno != ECONNREFUSED) return cannot_listen(address, "cannot find out whether the socket there is still in use: " + errno_text());
  if (!lock) return cannot_listen(address, "cannot lock the path, so the stale socket there stays; its folder must be writable");
  if (::unlink(address.name.c_str()) != 0 && errno != ENOENT) return cannot_listen(address, "cannot remove the stale socket: " + errno_text());
  return {};
}

Result<UniqueFd> open_socket(const Address& address, const Place& place, bool only_v6) {
  UniqueFd fd(::socket(place.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return cannot_listen(address, errno_text());
  if (address.kind != Address::Kind::tcp) return fd;
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // not kept out by connections in TIME_WAIT (socket(7))
  if (place.storage.ss_family == AF_INET6) {
    const int alone = address.host == "::" && !only_v6 ? 0 : 1;
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
  }
  return fd;
}

/// What the umask leaves of 0777 is the mode of the new socket file (unix(7)).
int bind_with_mode(int fd, const Place& place, std::optional<mode_t> mode) {
  if (!mode) return ::bind(fd, place.pointer(), place.size);
  const mode_t before = ::umask(~*mode & 0777);
  const int result = ::bind(fd, place.pointer(), place.size);
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

/// Lets everything through but a TCP segment with SYN and without ACK, which only opens connections (RFC 9293 §3.1; the filter of a TCP socket
/// sees its header first). The last ACK of a handshake and data pass, so what has begun ends well.
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
    return cannot_listen(address, "systemd hands over no socket of this name; see FileDescriptorName= in the .socket unit");
  }
  const Place place = place_of(address);
  std::optional<PathLock> lock;
  if (address.kind == Address::Kind::unix_path) {
    lock.emplace(address.name);
    if (!*lock && errno == EAGAIN) return cannot_listen(address, "another program begins to listen there just now");
    if (const auto cleared = clear_path(address, place, *lock); !cleared) return Error{cleared.error()};
  }
  auto fd = open_socket(address, place, only_v6);
  if (!fd) return Error{fd.error()};
  if (bind_with_mode(fd->get(), place, access.mode) != 0) return cannot_bind(address, errno);
  if (address.kind == Address::Kind::unix_path) {
    if (const auto given = set_file_access(address.name, access); !given) {
      ::unlink(address.name.c_str());
      return cannot_listen(address, given.error());
    }
  }
  if (::listen(fd->get(), backlog) != 0) return cannot_bind(address, errno);

  Listening listening;
  listening.address = address_of(bound_place(fd->get())).text();
  listening.local = address.kind != Address::Kind::tcp;
  listening.fd = std::move(*fd);
  if (address.kind == Address::Kind::unix_path) own_socket_file(listening, address.name);
  return listening;
}

Result<void> bind_and_leave(const Address& address) {
  const Place place = place_of(address);
  const auto fd = open_socket(address, place, false);
  if (!fd) return Error{fd.error()};
  if (::bind(fd->get(), place.pointer(), place.size) != 0) return cannot_bind(address, errno);
  return {};
}

Result<void> set_file_access(const std::string& path, const FileAccess& access) {
  if (!access.mode && !access.user && !access.group) return {};
  const UniqueFd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISSOCK(status.st_mode)) return Error{"there is no socket file at " + path};
  const auto user = access.user.value_or(static_cast<uid_t>(-1));
  const auto group = access.group.value_or(static_cast<gid_t>(-1));
  const bool differs = (access.user && *access.user != status.st_uid) || (access.group && *access.group != status.st_gid);
  if (differs && ::fchownat(file.get(), "", user, group, AT_EMPTY_PATH) != 0) {
    return Error{"cannot give the socket file to user " + (access.user ? std::to_string(user) : "-") + " and group " +
                 (access.group ? std::to_string(group) : "-") + ": " + errno_text()};
  }
  // fchmod(2) refuses O_PATH descriptors; the link in /proc leads to the same file.
  if (access.mode && ::chmod(("/proc/self/fd/" + std::to_string(file.get())).c_str(), *access.mode) != 0) {
    return Error{"cannot set the mode of the socket file: " + errno_text()};
  }
  return {};
}

Result<Listening> adopt(UniqueFd fd, const std::string& name) {
  const auto refuse = [&](const std::string& why) { return Error{"cannot use the inherited socket \"" + name + "\": " + why}; };
  const Place place = bound_place(fd.get());
  if (place.size == 0) return refuse(errno_text());
  const int family = place.storage.ss_family;
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return refuse("it is neither TCP nor a unix socket");
  if (int_option(fd.get(), SO_TYPE) != SOCK_STREAM) return refuse("it is no stream socket; use ListenStream= in the .socket unit");
  if (int_option(fd.get(), SO_ACCEPTCONN) != 1) return refuse("it does not listen; leave Accept=no in the .socket unit");
  const int status = ::fcntl(fd.get(), F_GETFL);
  if (status < 0 || ::fcntl(fd.get(), F_SETFL, status | O_NONBLOCK) != 0) return refuse(errno_text());
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) return refuse(errno_text());

  Listening listening;
  listening.address = address_of(place).text();
  listening.local = family == AF_UNIX;
  listening.fd = std::move(fd);
  return listening;
}

std::string bound_address(int fd) {
  const Place place = bound_place(fd);
  const int family = place.size == 0 ? AF_UNSPEC : place.storage.ss_family;
  return family == AF_INET || family == AF_INET6 || family == AF_UNIX ? address_of(place).text() : "";
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

std::optional<pid_t> listener_at(const std::string& path) {
  Address address;
  address.kind = Address::Kind::unix_path;
  address.name = path;
  const Place place = place_of(address);
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return std::nullopt;
  if (::connect(probe.get(), place.pointer(), place.size) != 0) return errno == EAGAIN ? std::optional<pid_t>(0) : std::nullopt;
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

Result<void> refuse_new_connections(int listen_fd) {
  if (int_option(listen_fd, SO_DOMAIN) != AF_UNIX) return drop_syns(listen_fd);
  if (::shutdown(listen_fd, SHUT_RD) != 0) return Error{"cannot refuse new connections: shutdown: " + errno_text()};
  return {};
}

}  // namespace serval::os
