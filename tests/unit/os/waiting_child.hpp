#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/unique_fd.hpp"

namespace serval::os {

/// A forked copy of the test's process, which does nothing until this goes.
class WaitingChild {
 public:
  WaitingChild() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    const UniqueFd read_end(ends[0]);
    write_end_.reset(ends[1]);
    pid_ = ::fork();
    if (pid_ != 0) return;
    write_end_.reset();
    char byte = 0;
    [[maybe_unused]] const auto ended = ::read(read_end.get(), &byte, 1);
    ::_exit(0);
  }
  WaitingChild(const WaitingChild&) = delete;
  WaitingChild& operator=(const WaitingChild&) = delete;
  ~WaitingChild() {
    write_end_.reset();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }

 private:
  UniqueFd write_end_;
  pid_t pid_ = -1;
};

}  // namespace serval::os
