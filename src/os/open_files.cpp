#include "os/open_files.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "os/proc_file.hpp"

namespace serval::os {

std::optional<std::uint64_t> parse_open_files_limit(const char* limits) {
  const char* const line = std::strstr(limits, "Max open files");
  if (line == nullptr) return std::nullopt;
  unsigned long long soft = 0;
  if (std::sscanf(line, "Max open files %llu", &soft) == 1) return soft;
  return std::strncmp(line + std::strlen("Max open files"), " ", 1) == 0 ? std::optional(UINT64_MAX) : std::nullopt;
}

std::optional<OpenFiles> open_files(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  struct stat fds {};
  if (::stat((folder + "/fd").c_str(), &fds) != 0 || fds.st_size <= 0) return std::nullopt;
  const auto limits = proc_text(folder + "/limits");
  const auto limit = limits ? parse_open_files_limit(limits->c_str()) : std::nullopt;
  if (!limit) return std::nullopt;
  return OpenFiles{static_cast<std::uint64_t>(fds.st_size), *limit};
}

}  // namespace serval::os
