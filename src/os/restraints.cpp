#include "os/restraints.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

namespace serval::os {

bool take_limits(const Limits& limits) {
  for (const auto& [resource, limit] : limits) {
    const rlimit both = {static_cast<rlim_t>(limit), static_cast<rlim_t>(limit)};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0) return false;
  }
  return true;
}

bool add_nice(int more) {
  errno = 0;  // -1 may be the niceness as well
  return more == 0 || ::nice(more) != -1 || errno == 0;
}

}  // namespace serval::os
