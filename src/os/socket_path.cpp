#include "os/socket_path.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/address.hpp"
#include "base/errno_text.hpp"
#include "os/socket_address.hpp"

namespace serval::os {
namespace {

SocketAddress unix_address(const std::string& path) {
  Address address;
  address.kind = Address::Kind::unix_path;
  address.name = path;
  return socket_address_of(address);
}

}  // namespace

SocketPathLock::SocketPathLock(const std::string& path) : path_(path + ".lock") {
  UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct flock all = {};
  all.l_type = F_WRLCK;
  all.l_whence = SEEK_SET;
  if (!fd || ::fcntl(fd.get(), F_OFD_SETLK, &all) != 0) return;
  struct stat held {}, named {};  // another process that had it may have removed it before we had the lock
  const bool ours = ::fstat(fd.get(), &held) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
                    held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  if (ours) fd_ = std::move(fd);
  if (!ours) errno = EAGAIN;
}

SocketPathLock::~SocketPathLock() {
  if (fd_) ::unlink(path_.c_str());
}

Result<void> clear_path(const std::string& path, const SocketPathLock& lock) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};  // bind says what is wrong, if anything but ENOENT is
  if (!S_ISSOCK(status.st_mode)) return Error{"the path exists and is no socket; move it away or choose another path"};
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return Error{"no socket to probe with: " + errno_text()};
  const SocketAddress at = unix_address(path);
  // EAGAIN is a listener with a full queue; EPROTOTYPE one of another type (unix(7)).
  if (::connect(probe.get(), at.pointer(), at.size) == 0 || errno == EAGAIN || errno == EPROTOTYPE) {
    return Error{"another program listens there; stop it or choose another path"};
  }
  if (errno == ENOENT) return {};
  if (errno != ECONNREFUSED) return Error{"cannot find out whether the socket there is still in use: " + errno_text()};
  if (!lock) return Error{"cannot lock the path, so the stale socket there stays; its folder must be writable"};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Error{"cannot remove the stale socket: " + errno_text()};
  return {};
}

Result<void> set_file_access(const std::string& path, const FileAccess& access) {
  if (!access.mode && !access.user && !access.group) return {};
  const UniqueFd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
    return Error{"there is no socket file at " + path};
  }
  const auto user = access.user.value_or(static_cast<uid_t>(-1));
  const auto group = access.group.value_or(static_cast<gid_t>(-1));
  const bool differs =
      (access.user && *access.user != status.st_uid) || (access.group && *access.group != status.st_gid);
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

std::optional<pid_t> listener_at(const std::string& path) {
  const SocketAddress at = unix_address(path);
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return std::nullopt;
  if (::connect(probe.get(), at.pointer(), at.size) != 0) {
    return errno == EAGAIN ? std::optional<pid_t>(0) : std::nullopt;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

}  // namespace serval::os
