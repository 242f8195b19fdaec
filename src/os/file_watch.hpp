#pragma once

#include <string>

#include "os/unique_fd.hpp"

namespace serval::os {

/// Wakes a thread that waits for a file to grow, shrink, go away or be replaced (inotify(7)). It says that something
/// has happened, not what. Other machines' changes to a file of a network file system are not heard of.
class FileWatch {
 public:
  FileWatch();

  /// From now on at what has this path now, and at the folders in which another file may take its place: to be called
  /// again after each wake-up. What was watched before stays watched. False: not all of it can be, so that it is worth
  /// looking again after a while.
  bool watch(const std::string& path);

  /// Readable once something has happened; -1 if the kernel gives no inotify instance.
  int fd() const { return fd_.get(); }
  /// Forgets what has happened so far.
  void clear();

 private:
  UniqueFd fd_;
};

}  // namespace serval::os
