#include "os/mapped_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

#include "os/unique_fd.hpp"

namespace serval::os {
namespace {

/// Of mappings: what is kept, and what is read for it. The kernel allows 65530 by default (vm.max_map_count), most of
/// them without a file.
constexpr std::size_t kMaxMapsBytes = 1024 * 1024;
constexpr std::size_t kMaxMapsBytesRead = 16 * kMaxMapsBytes;

}  // namespace

std::string mapped_files(pid_t pid) {
  const UniqueFd fd(::open(("/proc/" + std::to_string(pid) + "/maps").c_str(), O_RDONLY | O_CLOEXEC));
  std::string files;
  std::string line;
  std::array<char, 16 * 1024> buffer;
  std::size_t read = 0;
  while (fd && read < kMaxMapsBytesRead) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const auto size = static_cast<std::size_t>(got);
    read += size;
    for (const char byte : std::span(buffer).first(size)) {
      line += byte;
      if (byte != '\n') continue;
      const bool names_code = line.find('/') != std::string::npos || line.find("[vdso]") != std::string::npos;
      if (names_code && files.size() + line.size() <= kMaxMapsBytes) files += line;
      line.clear();
    }
  }
  return files;
}

}  // namespace serval::os
