#pragma once

#include <sys/resource.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace serval {

/// "No such file or directory" for ENOENT. Unlike strerror(3), safe in every thread. A limit that was reached is named with its value.
inline std::string errno_text(int error = errno) {
  std::string text = std::generic_category().message(error);
  const auto limited = [&text](auto which, const char* name) {
    rlimit limit{};
    if (::getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return text;
    return text + " (the limit of this process, " + name + ", is " + std::to_string(limit.rlim_cur) + ")";
  };
  if (error == EMFILE) return limited(RLIMIT_NOFILE, "RLIMIT_NOFILE or ulimit -n");
  if (error == EFBIG) return limited(RLIMIT_FSIZE, "RLIMIT_FSIZE or ulimit -f");
  return text;
}

}  // namespace serval
