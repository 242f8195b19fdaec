#include "master/pidfile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

namespace serval::master {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw StartupError(exit_code::cannot_create, what); }

bool still_at(const std::string& path, int fd) {
  struct stat named = {};
  struct stat held = {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &held) == 0 && named.st_dev == held.st_dev &&
         named.st_ino == held.st_ino;
}

std::string pid_in(int fd) {
  std::array<char, 32> text;
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return size > 0 ? std::string(trim({text.data(), static_cast<std::size_t>(size)})) : "unknown";
}

/// A lock of the whole file; it belongs to the open file and not to the process, so it outlives an exec (fcntl(2), open
/// file description locks).
struct flock whole_file() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool lock(int fd) {
  struct flock wanted = whole_file();
  return ::fcntl(fd, F_OFD_SETLK, &wanted) == 0;
}

/// By a write lock, which only a process that may write can have. Any process that may read can have a read lock: that
/// says nothing.
bool is_held(int fd) {
  struct flock found = whole_file();
  return ::fcntl(fd, F_OFD_GETLK, &found) == 0 && found.l_type == F_WRLCK;
}

/// Ours, before it has its name: its lock is there before another process can open it.
struct Prepared {
  UniqueFd fd;
  std::string beside;  ///< its name until then
};

Prepared make_ready(const std::string& path) {
  std::string beside = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!fd) refuse("cannot create the pid file " + path + ": " + errno_text());
  const std::string text = std::to_string(::getpid()) + "\n";
  const bool good = lock(fd.get()) &&
                    ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::fchmod(fd.get(), 0644) == 0;
  if (good) return {std::move(fd), std::move(beside)};
  const std::string why = errno_text();
  ::unlink(beside.c_str());
  refuse("cannot write the pid file " + path + ": " + why);
}

/// 0, or an errno: EEXIST and ENOENT say that it has changed since we looked.
int put_in_place(const std::string& path, const std::string& beside) {
  const UniqueFd old(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!old) {
    if (errno == ENOENT && leads_nowhere(path)) {
      ::unlink(beside.c_str());
      refuse("cannot create the pid file " + path + ": it is a symbolic link that leads nowhere; remove it");
    }
    if (errno != ENOENT || ::link(beside.c_str(), path.c_str()) != 0) return errno == ENOENT ? EEXIST : errno;
    ::unlink(beside.c_str());
    return 0;
  }
  struct stat status = {};
  if (::fstat(old.get(), &status) == 0 && !S_ISREG(status.st_mode)) {  // renaming over /dev/null would take it from all
    ::unlink(beside.c_str());
    refuse("cannot create the pid file " + path + ": it is there and no regular file");
  }
  // Held while its name is taken away, so of two servers that find the same stale file one has it.
  if (!lock(old.get()) && is_held(old.get())) {
    const std::string pid = pid_in(old.get());
    ::unlink(beside.c_str());
    refuse("another serval (pid " + pid + ") holds the pid file " + path +
           ": stop it, or give this one another server.pidfile");
  }
  if (!still_at(path, old.get())) return EEXIST;
  return ::rename(beside.c_str(), path.c_str()) == 0 ? 0 : errno;
}

}  // namespace

bool leads_nowhere(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode) && ::stat(path.c_str(), &status) != 0 &&
         errno == ENOENT;
}

Pidfile::Pidfile(const std::string& path) : path_(path) {
  if (path_.empty()) return;
  Prepared prepared = make_ready(path_);
  constexpr int kMaxTries = 100;
  int error = EEXIST;
  for (int i = 0; i < kMaxTries && error == EEXIST; ++i) error = put_in_place(path_, prepared.beside);
  if (error != 0) {
    ::unlink(prepared.beside.c_str());
    refuse("cannot create the pid file " + path_ + ": " + errno_text(error));
  }
  fd_ = std::move(prepared.fd);
}

Pidfile::Pidfile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {
  if (fd_) lock(fd_.get());  // an earlier version had another kind of lock
}

Pidfile::~Pidfile() {
  if (fd_ && still_at(path_, fd_.get())) ::unlink(path_.c_str());
}

}  // namespace serval::master
