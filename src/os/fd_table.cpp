#include "os/fd_table.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

#include "os/unique_fd.hpp"

namespace serval::os {

void reserve_fds(int count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto highest = static_cast<int>(std::min<rlim_t>(static_cast<rlim_t>(count), limit.rlim_cur)) - 1;
  const UniqueFd any(::open("/", O_PATH | O_CLOEXEC));
  // The table grows with the number, and does not shrink.
  const UniqueFd high(::fcntl(any.get(), F_DUPFD_CLOEXEC, highest));
}

}  // namespace serval::os
