#include "os/own_fds.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

namespace serval::os {
namespace {

/// Higher ones would cost each worker's start more: LowFdsTaken takes all below, a millisecond for four thousand.
constexpr int kHighest = 1024;
/// A worker has some twenty, and one for each listener.
constexpr int kRoom = 128;
constexpr int kLittleRoom = 48;

int as_int(rlim_t limit) { return static_cast<int>(std::min<rlim_t>(limit, std::numeric_limits<int>::max())); }

}  // namespace

int first_own_fd(int limit) {
  if (limit >= 4 * kRoom) return std::min(limit, kHighest) - kRoom;
  if (limit >= kRoom) return limit - kLittleRoom;
  return STDERR_FILENO + 1;
}

int first_own_fd() { return first_own_fd(fd_limit()); }

int fd_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? as_int(limit.rlim_cur) : 1024;
}

FdLimit raise_fd_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {fd_limit(), fd_limit()};
  const int before = as_int(limit.rlim_cur);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return {before, fd_limit()};
}

UniqueFd among_own(UniqueFd fd) {
  const int first = first_own_fd();
  if (!fd || fd.get() >= first) return fd;
  UniqueFd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, first));
  return high ? std::move(high) : std::move(fd);
}

int among_own(int fd) { return fd > STDERR_FILENO ? among_own(UniqueFd(fd)).release() : fd; }

std::vector<int> own_event_fds() {
  std::vector<int> found;
  for (int fd = first_own_fd(), end = std::min(fd_limit(), fd + kRoom); fd < end; ++fd) {
    char target[32] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const bool read = ::readlink(link.c_str(), target, sizeof target - 1) > 0;
    if (read && std::string_view(target).starts_with("anon_inode:")) found.push_back(fd);
  }
  return found;
}

UniqueFd off_standard(UniqueFd fd) {
  if (!fd || fd.get() > STDERR_FILENO) return fd;
  UniqueFd higher(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  return higher ? std::move(higher) : std::move(fd);
}

bool fill_standard_fds() {
  bool all = true;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    all = false;
    UniqueFd nothing(::open("/dev/null", O_RDWR | O_NOCTTY));  // gets this number, as the lowest that is free
    if (nothing.get() == fd) nothing.release();
  }
  return all;
}

LowFdsTaken::LowFdsTaken() {
  const int first = first_own_fd();
  UniqueFd next(::open("/", O_PATH | O_CLOEXEC));
  while (next && next.get() < first) {
    taken_.push_back(std::move(next));
    next.reset(::fcntl(taken_.back().get(), F_DUPFD_CLOEXEC, 0));
  }
}

LowFdsTaken::~LowFdsTaken() = default;

}  // namespace serval::os
