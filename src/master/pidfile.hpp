#pragma once

#include <string>
#include <utility>

#include "os/unique_fd.hpp"

namespace serval::master {

/// A symbolic link whose target does not exist: neither can it be replaced under the lock of what it names, nor is it
/// a stale file. No pid file can be made there.
bool leads_nowhere(const std::string& path);

/// The file that holds our pid while we live: whole from its first moment on. Its write lock (fcntl(2)) says that we
/// do: a file that a killed master left behind means nothing, a live one is refused, and a process that may only
/// read the file cannot keep a server out. Removed by the destructor.
class Pidfile {
 public:
  /// Empty path: no file. Throws StartupError (cannot_create) if it cannot be made or another instance holds it; the
  /// text names its pid.
  explicit Pidfile(const std::string& path);
  /// The one that an earlier version of serval holds in this process.
  Pidfile(std::string path, UniqueFd fd);
  Pidfile(const Pidfile&) = delete;
  Pidfile& operator=(const Pidfile&) = delete;
  ~Pidfile();
  int fd() const { return fd_.get(); }  ///< -1: none

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace serval::master
