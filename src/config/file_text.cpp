#include "config/file_text.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "base/errno_text.hpp"
#include "base/time.hpp"
#include "base/units.hpp"

namespace serval::config {
namespace {

constexpr auto kWriterTimeout = std::chrono::seconds(5);  ///< with the writer of a pipe

/// read(2) of a file never waits, that of a pipe does: then at most so long. An error is in errno, ETIMEDOUT among
/// them.
ssize_t read_some(int fd, char* room, std::size_t size, TimePoint deadline) {
  for (;;) {
    const ssize_t done = ::read(fd, room, size);
    if (done >= 0 || (errno != EAGAIN && errno != EINTR)) return done;
    const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
    pollfd readable = {fd, POLLIN, 0};
    if (left > Duration::zero()) ::poll(&readable, 1, static_cast<int>(left.count()));
    if (Clock::now() >= deadline) {
      errno = ETIMEDOUT;
      return -1;
    }
  }
}

void read_all(int fd, std::size_t most, bool may_be_pipe, FileText& file) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) {
    file.why = errno_text();
  } else if (!may_be_pipe && !S_ISREG(status.st_mode)) {
    file.why = "it is no regular file";
  }
  const TimePoint deadline = Clock::now() + kWriterTimeout;
  std::array<char, 65536> chunk;
  while (file.why.empty()) {
    const ssize_t size = read_some(fd, chunk.data(), chunk.size(), deadline);
    if (size < 0) {
      file.why = errno == ETIMEDOUT ? "nothing has come for 5s; it is no regular file" : errno_text();
    } else if (size == 0) {
      if (file.text.empty() && S_ISFIFO(status.st_mode)) file.why = "it is a pipe into which nobody writes";
      return;
    } else {
      file.text.append(chunk.data(), static_cast<std::size_t>(size));
      file.is_too_large = file.text.size() > most;
      if (file.is_too_large) file.why = "it has more than " + format_size(most);
    }
  }
}

/// A named pipe would wait for a writer when it is opened.
FileText read_at(const std::string& path, std::size_t most, bool may_be_pipe) {
  FileText file;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    file.is_there = errno != ENOENT && errno != ENOTDIR;
    file.why = errno_text();
    return file;
  }
  read_all(fd, most, may_be_pipe, file);
  ::close(fd);
  return file;
}

}  // namespace

FileText read_regular_file(const std::string& path, std::size_t most) { return read_at(path, most, false); }

FileText read_file_or_pipe(const std::string& path, std::size_t most) { return read_at(path, most, true); }

}  // namespace serval::config
