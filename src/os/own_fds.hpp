#pragma once

#include <vector>

#include "os/unique_fd.hpp"

/// Where serval's own descriptors sit in a process that runs an app: high, above the numbers that the app's files and
/// the clients' connections get. The kernel gives out the lowest number that is free, so a number that the app closes
/// by mistake is soon another file: what is written to it then goes there. A high one stays closed, and is noticed
/// (os/fd_watch.hpp).
namespace serval::os {

/// From here on, for a soft limit of `limit` open files (RLIMIT_NOFILE); 3 if that leaves no room to set any apart.
int first_own_fd(int limit);
/// For the limit of now.
int first_own_fd();

/// The soft limit of open files, as an int.
int fd_limit();

struct FdLimit {
  int before = 0;
  int now = 0;
};
/// Raises the soft limit to the hard one. The kernel's default is meant for programs that use select(2), which ends at
/// 1024.
FdLimit raise_fd_limit();

/// To a number among serval's own, close-on-exec; it stays where it is if there is none.
UniqueFd among_own(UniqueFd fd);
/// The same for a number that is known elsewhere; returns the new one.
int among_own(int fd);

/// Those that are open now and have no file behind them: what an event loop waits with (epoll, timerfd, eventfd).
std::vector<int> own_event_fds();

/// Away from the numbers of standard input, output and error, which an app may have closed: what it prints must not
/// reach a client.
UniqueFd off_standard(UniqueFd fd);
/// Opens those of the three that are closed, on /dev/null. False if there were any.
bool fill_standard_fds();

/// While it lives, every descriptor that is opened gets a number among serval's own: for libraries that do not let one
/// choose. One thread.
class LowFdsTaken {
 public:
  LowFdsTaken();
  ~LowFdsTaken();
  LowFdsTaken(const LowFdsTaken&) = delete;
  LowFdsTaken& operator=(const LowFdsTaken&) = delete;

 private:
  std::vector<UniqueFd> taken_;
};

}  // namespace serval::os
