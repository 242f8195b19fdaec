#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

/// The files of unix sockets: which users may use them, which process listens there, and how a new one takes the place
/// of a stale one.
namespace serval::os {

/// Which users may connect to a unix socket with a file: those that may write to it.
struct FileAccess {
  std::optional<mode_t> mode{};  ///< none: what the umask leaves of 0777
  std::optional<uid_t> user{};   ///< its new owner; none: it stays ours
  std::optional<gid_t> group{};
};

/// Changes mode and owner of the socket file at `path`, which is not followed if it is a link.
Result<void> set_file_access(const std::string& path, const FileAccess& access);

/// A process listens on this unix socket: its pid, as the kernel has it from its listen(2); 0 if that is in a namespace
/// that we do not see.
std::optional<pid_t> listener_at(const std::string& path);

/// Held from the look at a path until a socket listens there: between bind(2) and listen(2) a new socket looks like a
/// stale one, and of several processes that find the same stale one a single one may remove it. It is a file of our own
/// beside the socket, gone afterwards.
class SocketPathLock {
 public:
  explicit SocketPathLock(const std::string& path);
  ~SocketPathLock();
  SocketPathLock(const SocketPathLock&) = delete;
  SocketPathLock& operator=(const SocketPathLock&) = delete;
  /// If not, errno says why; EAGAIN: another process has it.
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  std::string path_;
  UniqueFd fd_;
};

/// Makes way for a new socket file: only a socket that no process listens on any more is removed. A dead one never
/// comes to life again.
Result<void> clear_path(const std::string& path, const SocketPathLock& lock);

}  // namespace serval::os
