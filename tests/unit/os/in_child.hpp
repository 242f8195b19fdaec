#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "os/unique_fd.hpp"

namespace serval::os {

/// Runs `body` in a forked child, for what would change this process for good, and returns the text that it returned;
/// how the child ended, if it did not end well.
inline std::string in_child(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    // Out of the way of tests that put descriptors at 3 and on.
    const int fd = ::fcntl(write_end.get(), F_DUPFD_CLOEXEC, 500);
    const std::string text = body();
    ::_exit(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  write_end.reset();
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(read_end.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status == 0 ? text : "child ended with status " + std::to_string(status);
}

}  // namespace serval::os
