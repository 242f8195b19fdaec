#include "master/pidfile.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

namespace serval::master {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw StartupError(exit_code::cannot_create, what); }

/// Somebody may have removed the file between our open and our lock; then we hold what nobody will find.
bool still_at(const std::string& path, int fd) {
  struct stat named = {};
  struct stat held = {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &held) == 0 && named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

std::string pid_in(int fd) {
  std::array<char, 32> text;
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return size > 0 ? std::string(trim({text.data(), static_cast<std::size_t>(size)})) : "unknown";
}

UniqueFd open_locked(const std::string& path) {
  for (;;) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) refuse("cannot create the pid file " + path + ": " + errno_text());
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) refuse("cannot lock the pid file " + path + ": " + errno_text());
      refuse("another serval (pid " + pid_in(fd.get()) + ") holds the pid file " + path + ": stop it, or give this one another server.pidfile");
    }
    if (still_at(path, fd.get())) return fd;
  }
}

}  // namespace

Pidfile::Pidfile(const std::string& path) : path_(path) {
  if (path_.empty()) return;
  fd_ = open_locked(path_);
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_.get(), 0) != 0 || ::pwrite(fd_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    refuse("cannot write the pid file " + path_ + ": " + errno_text());
  }
}

Pidfile::~Pidfile() {
  if (fd_ && still_at(path_, fd_.get())) ::unlink(path_.c_str());
}

}  // namespace serval::master
