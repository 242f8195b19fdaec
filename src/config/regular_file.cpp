#include "config/regular_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/errno_text.hpp"
#include "base/units.hpp"

namespace serval::config {
namespace {

/// Why not all of it could be read; empty: it was.
std::string read_all(int fd, std::size_t most, std::string& text) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return errno_text();
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno_text();
    if (size == 0) return {};
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > most) return "it has more than " + format_size(most);
  }
}

}  // namespace

FileText read_regular_file(const std::string& path, std::size_t most) {
  FileText file;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    file.is_there = errno != ENOENT && errno != ENOTDIR;
    file.why = errno_text();
    return file;
  }
  file.why = read_all(fd, most, file.text);
  ::close(fd);
  return file;
}

}  // namespace serval::config
