#include "os/proc_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/errno_text.hpp"
#include "os/unique_fd.hpp"

namespace serval::os {
namespace {

Error cannot_read(const std::string& path, int error) {
  return Error{"cannot read " + path + ": " + errno_text(error) +
               (error == EACCES ? "; only root and the process's own user may" : "")};
}

}  // namespace

/// With the system calls, as only they say why it failed.
Result<std::string> read_proc(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return cannot_read(path, errno);
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

std::optional<std::string> proc_text(const std::string& path) {
  auto text = read_proc(path);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

}  // namespace serval::os
