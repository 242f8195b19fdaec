#include "os/fd_watch.hpp"

#include <sys/stat.h>

namespace serval::os {

std::optional<FdWatch::Identity> FdWatch::identity_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino, status.st_mode & static_cast<mode_t>(S_IFMT)};
}

void FdWatch::add(int fd, std::string name) {
  const std::lock_guard lock(mutex_);
  if (const auto identity = identity_of(fd)) watched_.push_back({fd, std::move(name), identity});
}

void FdWatch::stop() {
  const std::lock_guard lock(mutex_);
  watched_.clear();
}

std::string FdWatch::Lost::text() const {
  return "the app has " + std::string(closed ? "closed" : "put another file in the place of") +
         " a descriptor of serval's: " + name + " (" + std::to_string(fd) + "); it may close only what it has opened";
}

std::optional<FdWatch::Lost> FdWatch::lost() const {
  const std::lock_guard lock(mutex_);
  for (const Watched& watched : watched_) {
    const auto now = identity_of(watched.fd);
    if (now != watched.identity) return Lost{watched.fd, watched.name, !now};
  }
  return std::nullopt;
}

}  // namespace serval::os
