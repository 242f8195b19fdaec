#include "base/line_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <ctime>
#include <utility>

namespace serval {
namespace {

std::string own_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

/// For a terminal that is behind; more would show as a master that does not answer.
constexpr int kTerminalPatienceMs = 100;
/// Bytes for a terminal that may make us wait: what it has room for when it polls writable.
constexpr std::size_t kTerminalPiece = 256;

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

/// A process in the background that writes to its terminal gets SIGTTOU if the user has said `stty tostop`, and so does
/// the rest of its group. While it is blocked, the write is let through, and no signal is made (POSIX.1-2017, 11.1.4).
class NoSigttou {
 public:
  NoSigttou() {
    sigset_t sigttou;
    sigemptyset(&sigttou);
    sigaddset(&sigttou, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &sigttou, &old_);
  }
  ~NoSigttou() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }

 private:
  sigset_t old_;
};

/// Of a pipe that blocks. To poll first is not enough: another process may take the room before we write. Kernels
/// before 6.4 know no better.
ssize_t write_unwaiting(int fd, std::string_view piece) {
  const iovec bytes{const_cast<char*>(piece.data()), piece.size()};
  const ssize_t taken = ::pwritev2(fd, &bytes, 1, -1, RWF_NOWAIT);
  if (taken >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return taken;
  // A blocking pipe that polls writable has room for PIPE_BUF bytes (pipe(7)).
  pollfd room{fd, POLLOUT, 0};
  if (::poll(&room, 1, 0) <= 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(fd, piece.data(), std::min<std::size_t>(piece.size(), PIPE_BUF));
}

}  // namespace

std::string LineFile::why_dropped() {
  const std::lock_guard lock(mutex_);
  switch (dropped_error_) {
    case EAGAIN: return "its reader does not keep up";
    case EPIPE: return "its reader is gone";
    case EIO: return "the terminal or device behind it is gone, or fails";
    case EFBIG: return "the file is as large as a limit allows (ulimit -f)";
    default: return std::strerror(dropped_error_);
  }
}

LineFile::LineFile(int fd) : fd_(fd) { look_at_descriptor(); }

LineFile::~LineFile() { leave_descriptor(); }

void LineFile::look_at_descriptor() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) return;
  if (S_ISREG(status.st_mode)) kind_ = Kind::file;
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
  if (S_ISFIFO(status.st_mode)) kind_ = Kind::pipe;
  if (S_ISCHR(status.st_mode) && ::isatty(fd_) == 1) kind_ = Kind::terminal;
  if (kind_ != Kind::pipe && kind_ != Kind::terminal) return;
  const int flags = ::fcntl(fd_, F_GETFL);
  unblocked_ = flags >= 0 && (flags & O_NONBLOCK) != 0;
  if (unblocked_) return;
  const int opened = ::open(own_path(fd_).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (opened < 0) return;
  // As high as that one: its owner may have put it out of an app's way.
  own_fd_ = ::fcntl(opened, F_DUPFD_CLOEXEC, fd_);
  if (own_fd_ >= 0) {
    ::close(opened);
  } else {
    own_fd_ = opened;
  }
  unblocked_ = true;
}

void LineFile::leave_descriptor() {
  if (own_fd_ >= 0) ::close(own_fd_);
  own_fd_ = -1;
  unblocked_ = false;
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
      dropped_error_ = error_;
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

/// One call that takes bytes, again after EINTR; 0 if it failed.
template <class Call>
std::size_t LineFile::once(Call call) {
  for (;;) {
    const ssize_t taken = call();
    // Of a short write nothing is known but that there was no more room.
    error_ = taken < 0 ? errno : kind_ == Kind::file ? ENOSPC : EAGAIN;
    if (taken >= 0) return static_cast<std::size_t>(taken);
    if (error_ != EINTR) return 0;
  }
}

/// How many bytes of the piece were taken.
std::size_t LineFile::put(std::string_view piece) {
  switch (kind_) {
    case Kind::file: return once([&] { return ::write(fd_, piece.data(), piece.size()); });
    case Kind::socket:
      return once([&] { return ::send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
    case Kind::pipe: return put_to_pipe(piece);
    case Kind::terminal: return put_to_terminal(piece);
    case Kind::other: return put_to_other(piece);
  }
  return 0;
}

std::size_t LineFile::put_to_other(std::string_view piece) {
  std::size_t done = 0;
  while (done < piece.size()) {
    const std::size_t taken = once([&] { return ::write(fd_, piece.data() + done, piece.size() - done); });
    if (taken == 0) break;
    done += taken;
  }
  return done;
}

/// It is waited for only as long as it has taken everything: a stopped one costs that time once.
std::size_t LineFile::put_to_terminal(std::string_view piece) {
  using namespace std::chrono;
  const NoSigttou guard;
  const auto patient_until = steady_clock::now() + milliseconds(failed_ ? 0 : kTerminalPatienceMs);
  const auto has_room = [&] {
    const auto left = ceil<milliseconds>(patient_until - steady_clock::now()).count();
    pollfd room{unblocked_fd(), POLLOUT, 0};
    return ::poll(&room, 1, static_cast<int>(std::max<decltype(left)>(left, 0))) > 0 && (room.revents & POLLOUT) != 0;
  };
  std::size_t done = 0;
  while (done < piece.size()) {
    if (!unblocked_ && !has_room()) {
      error_ = EAGAIN;
      break;
    }
    const std::size_t size = unblocked_ ? piece.size() - done : std::min(piece.size() - done, kTerminalPiece);
    const std::size_t taken = once([&] { return ::write(unblocked_fd(), piece.data() + done, size); });
    done += taken;
    if (taken == 0 && !(unblocked_ && error_ == EAGAIN && has_room())) break;
  }
  return done;
}

std::size_t LineFile::put_to_pipe(std::string_view piece) {
  NoSigpipe guard;
  return once([&]() -> ssize_t {
    const ssize_t taken =
        unblocked_ ? ::write(unblocked_fd(), piece.data(), piece.size()) : write_unwaiting(fd_, piece);
    if (taken < 0 && errno == EPIPE) guard.came();
    return taken;
  });
}

/// As put, with an end for the line that was cut before.
std::size_t LineFile::put_on_new_line(std::string_view piece) {
  const std::size_t done = put("\n" + std::string(piece));
  return done > 0 ? done - 1 : 0;
}

/// A full disk cuts a line wherever it is full, ours or another process's: the file itself knows. Where it cannot be
/// read, we know our own.
bool LineFile::stands_inside_line() const {
  if (kind_ != Kind::file) return cut_;
  const int fd = ::open(own_path(fd_).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cut_;
  struct stat status {};
  char last = '\n';
  const bool known =
      ::fstat(fd, &status) == 0 && (status.st_size == 0 || ::pread(fd, &last, 1, status.st_size - 1) == 1);
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
  return std::exchange(dropped_, 0);
}

}  // namespace serval
