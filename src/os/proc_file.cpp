#include "os/proc_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "os/unique_fd.hpp"

namespace serval::os {
namespace {

constexpr std::size_t kMaxText = 256 * 1024;

}  // namespace

std::optional<std::string> proc_text(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char buffer[4096];
  while (text.size() < kMaxText) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace serval::os
