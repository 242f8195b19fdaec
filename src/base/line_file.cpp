#include "base/line_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace serval {
namespace {

std::string own_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::uint64_t count_lines(std::string_view text) { return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')); }

/// One call that takes bytes, again after EINTR; 0 if it failed.
template <class Call>
std::size_t once(Call call) {
  for (;;) {
    const ssize_t taken = call();
    if (taken >= 0) return static_cast<std::size_t>(taken);
    if (errno != EINTR) return 0;
  }
}

/// write(2) has no MSG_NOSIGNAL: SIGPIPE is held back for this thread meanwhile, and taken out again if it came.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t old;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &old);
    was_blocked_ = sigismember(&old, SIGPIPE) == 1;
  }
  ~NoSigpipe() {
    if (was_blocked_) return;
    if (came_) {
      const timespec at_once{};
      while (sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_UNBLOCK, &sigpipe_, nullptr);
  }
  void came() { came_ = true; }

 private:
  sigset_t sigpipe_;
  bool was_blocked_ = false;
  bool came_ = false;
};

}  // namespace

LineFile::LineFile(int fd) : fd_(fd) { look_at_descriptor(); }

LineFile::~LineFile() { leave_descriptor(); }

void LineFile::look_at_descriptor() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) return;
  if (S_ISREG(status.st_mode)) kind_ = Kind::file;
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
  if (!S_ISFIFO(status.st_mode)) return;
  kind_ = Kind::pipe;
  const int opened = ::open(own_path(fd_).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (opened < 0) return;
  pipe_fd_ = ::fcntl(opened, F_DUPFD_CLOEXEC, fd_);  // as high as that one: its owner may have put it out of an app's way
  if (pipe_fd_ >= 0) {
    ::close(opened);
  } else {
    pipe_fd_ = opened;
  }
}

void LineFile::leave_descriptor() {
  if (pipe_fd_ >= 0) ::close(pipe_fd_);
  pipe_fd_ = -1;
  kind_ = Kind::other;
  cut_ = failed_ = false;
}

void LineFile::write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  while (!lines.empty()) {
    const std::string_view piece = next_piece(lines);
    const std::size_t done = failed_ && stands_inside_line() ? put_on_new_line(piece) : put(piece);
    failed_ = done < piece.size();
    if (failed_) {
      if (done > 0) cut_ = piece[done - 1] != '\n';
      dropped_ += count_lines(lines.substr(done));
      return;
    }
    cut_ = false;
    lines.remove_prefix(piece.size());
  }
}

std::string_view LineFile::next_piece(std::string_view lines) const {
  if (kind_ != Kind::pipe || lines.size() <= PIPE_BUF) return lines;
  std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  if (end == std::string_view::npos) end = lines.find('\n', PIPE_BUF);
  return end == std::string_view::npos ? lines : lines.substr(0, end + 1);
}

/// How many bytes of the piece were taken.
std::size_t LineFile::put(std::string_view piece) {
  switch (kind_) {
    case Kind::file: return once([&] { return ::write(fd_, piece.data(), piece.size()); });
    case Kind::socket: return once([&] { return ::send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
    case Kind::pipe: return put_to_pipe(piece);
    case Kind::other: {
      std::size_t done = 0;
      while (done < piece.size()) {
        const std::size_t taken = once([&] { return ::write(fd_, piece.data() + done, piece.size() - done); });
        if (taken == 0) break;
        done += taken;
      }
      return done;
    }
  }
  return 0;
}

std::size_t LineFile::put_to_pipe(std::string_view piece) {
  NoSigpipe guard;
  return once([&]() -> ssize_t {
    if (pipe_fd_ < 0) {
      // A blocking pipe that polls writable has room for PIPE_BUF bytes (pipe(7)).
      pollfd room{fd_, POLLOUT, 0};
      if (::poll(&room, 1, 0) <= 0) return 0;
      piece = piece.substr(0, PIPE_BUF);
    }
    const ssize_t taken = ::write(pipe_fd_ >= 0 ? pipe_fd_ : fd_, piece.data(), piece.size());
    if (taken < 0 && errno == EPIPE) guard.came();
    return taken;
  });
}

/// As put, with an end for the line that was cut before.
std::size_t LineFile::put_on_new_line(std::string_view piece) {
  const std::size_t done = put("\n" + std::string(piece));
  return done > 0 ? done - 1 : 0;
}

/// A full disk cuts a line wherever it is full, ours or another process's: the file itself knows. Where it cannot be read, we know our own.
bool LineFile::stands_inside_line() const {
  if (kind_ != Kind::file) return cut_;
  const int fd = ::open(own_path(fd_).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cut_;
  struct stat status {};
  char last = '\n';
  const bool known = ::fstat(fd, &status) == 0 && (status.st_size == 0 || ::pread(fd, &last, 1, status.st_size - 1) == 1);
  ::close(fd);
  return known ? last != '\n' : cut_;
}

void LineFile::reopen(int new_fd) {
  const std::lock_guard lock(mutex_);
  const int flags = ::fcntl(fd_, F_GETFD);
  const bool close_on_exec = flags >= 0 && (flags & FD_CLOEXEC) != 0;
  if (new_fd != fd_) {
    while (::dup3(new_fd, fd_, close_on_exec ? O_CLOEXEC : 0) < 0 && (errno == EINTR || errno == EBUSY)) {
    }
  }
  leave_descriptor();
  look_at_descriptor();
}

std::uint64_t LineFile::take_dropped() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t dropped = dropped_;
  dropped_ = 0;
  return dropped;
}

}  // namespace serval
