#pragma once

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace serval::os {

/// Descriptors that other code in this process may close, or put another file in the place of: whether each is still
/// what it was. Compares the file's identity (fstat(2): device, inode, type), so one that the kernel keeps without an
/// inode of its own (epoll, eventfd) is only told from other kinds. Some 300 ns for each. Thread-safe.
class FdWatch {
 public:
  /// As it is now. What is no open descriptor is not watched.
  void add(int fd, std::string name);
  /// For good: they are about to be closed.
  void stop();

  /// What calls this meanwhile puts other files in places that are watched.
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    for (Watched& watched : watched_) watched.identity = identity_of(watched.fd);
  }

  struct Lost {
    int fd = -1;
    std::string name;
    bool closed = false;  ///< else it is another file

    /// One sentence for those who load an app that has done it.
    std::string text() const;
  };
  /// The first that is not what it was.
  std::optional<Lost> lost() const;

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    mode_t type = 0;
    bool operator==(const Identity&) const = default;
  };
  struct Watched {
    int fd;
    std::string name;
    std::optional<Identity> identity;
  };
  static std::optional<Identity> identity_of(int fd);

  mutable std::mutex mutex_;
  std::vector<Watched> watched_;
};

}  // namespace serval::os
