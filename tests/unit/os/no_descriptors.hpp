#pragma once

#include <fcntl.h>
#include <sys/resource.h>

#include "os/unique_fd.hpp"

namespace serval::os::test {

/// No descriptor is left in this process while it lives. What the log opens has to be open by then: the first line of a
/// process opens the pipe behind its descriptor anew (base/line_file.cpp), and may take a number that has just become free.
/// Not with UndefinedBehaviorSanitizer, which asks the kernel by a pipe whether an object's memory can be read, and takes
/// the object for none where there is no pipe to be had.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const UniqueFd next(::fcntl(0, F_DUPFD_CLOEXEC, 0));  // the lowest that is free
    const rlimit none{static_cast<rlim_t>(next.get()), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace serval::os::test
