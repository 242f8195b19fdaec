#include "os/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_text.hpp"

namespace serval::os {
namespace {

Error system_error(const std::string& what) { return Error{what + ": " + errno_text()}; }

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<UniqueFd> make_memory_file(const char* name, const std::string& what, std::string_view text) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make a memory file for " + what);
  if (!write_all(fd.get(), text)) return system_error("cannot write " + what);
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0 ||
      ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return system_error("cannot seal " + what);
  }
  return fd;
}

Result<UniqueFd> make_blank_memory_file(const char* name, const std::string& what, std::size_t size) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    return system_error("cannot make a memory file for " + what);
  }
  return fd;
}

UniqueFd read_only(int fd) {
  return UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
}

Result<std::string> read_memory_file(int fd, const std::string& what) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return system_error("cannot read " + what + " from descriptor " + std::to_string(fd));
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size != static_cast<ssize_t>(text.size())) {
    return system_error("cannot read " + what + " from descriptor " + std::to_string(fd));
  }
  return text;
}

}  // namespace serval::os
