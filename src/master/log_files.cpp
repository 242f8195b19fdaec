#include "master/log_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace serval::master {
namespace {

/// The last: neither the open nor a write waits for a reader.
constexpr int kFlags = O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

bool is_pipe(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/// A pipe or terminal behind a standard descriptor is opened anew, so that it does not block us and still does any
/// other process that has it. By the master, since workers of another user may not do it. Where it is not allowed,
/// LineFile does what it can.
UniqueFd open_anew(int fd) {
  if (!is_pipe(fd) && ::isatty(fd) != 1) return UniqueFd();
  return UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_WRONLY | kFlags));
}

Result<UniqueFd> open_setting(const std::string& setting, int standard_fd) {
  if (setting == "off") return UniqueFd();
  if (setting == "-") {
    UniqueFd own = open_anew(standard_fd);
    if (own && own.get() > STDERR_FILENO) return own;
    UniqueFd copy(::fcntl(standard_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!copy) return Error{"cannot log to descriptor " + std::to_string(standard_fd) + ": " + errno_text()};
    return copy;
  }
  auto fd = open_log_file(setting);
  if (!fd) return Error{fd.error() + "; log.file and log.access must be writable for us, or \"-\""};
  return fd;
}

}  // namespace

/// A named pipe is opened for reading, too: then it needs no reader to be opened, none of ours gets EPIPE while there
/// is none, and its buffer keeps what fits for the next one (fifo(7): that works on Linux). ENXIO is how the open
/// of one without a reader fails.
Result<UniqueFd> open_log_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | kFlags, 0644));
  if (fd ? is_pipe(fd.get()) : errno == ENXIO) {
    if (UniqueFd both(::open(path.c_str(), O_RDWR | kFlags)); both) return both;
  }
  if (!fd) return Error{"cannot open the log file " + path + ": " + errno_text()};
  return fd;
}

Result<LogFiles> LogFiles::open(const config::Log& config) {
  auto log = open_setting(config.file, STDERR_FILENO);
  if (!log) return Error{log.error()};
  auto access = open_setting(config.access, STDOUT_FILENO);
  if (!access) return Error{access.error()};
  return LogFiles(config, std::move(*log), std::move(*access));
}

std::vector<int> LogFiles::files() const {
  std::vector<int> result;
  if (config::names_file(file_)) result.push_back(log());
  if (config::names_file(access_name_)) result.push_back(access());
  return result;
}

std::string LogFiles::reopen() {
  std::string failures;
  const auto reopen_one = [&failures](const std::string& what, const std::string& name, int into) {
    if (!config::names_file(name)) return;
    if (const auto fd = open_log_file(name)) {
      ::dup3(fd->get(), into, O_CLOEXEC);
    } else {
      log::error(what + " not reopened, going on with the old file", {{"why", fd.error()}});
      failures += (failures.empty() ? "" : "\n") + what + " not reopened, going on with the old file: " + fd.error();
    }
  };
  reopen_one("log", file_, log());
  reopen_one("access log", access_name_, access());
  return failures;
}

}  // namespace serval::master
