#include "master/log_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "ipc/heritage.hpp"

namespace serval::master {
namespace {

Result<UniqueFd> open_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
  if (!fd) return Error{"cannot open the log file " + path + ": " + errno_text()};
  return fd;
}

Result<UniqueFd> open_setting(const std::string& setting, int standard_fd) {
  if (setting == "off") return UniqueFd();
  if (setting == "-") {
    UniqueFd copy(::fcntl(standard_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!copy) return Error{"cannot log to descriptor " + std::to_string(standard_fd) + ": " + errno_text()};
    return copy;
  }
  auto fd = open_file(setting);
  if (!fd) return Error{fd.error() + "; log.file and log.access must be writable for us, or \"-\""};
  return fd;
}

}  // namespace

Result<LogFiles> LogFiles::open(const config::Log& config) {
  auto log = open_setting(config.file, STDERR_FILENO);
  if (!log) return Error{log.error()};
  auto access = open_setting(config.access, STDOUT_FILENO);
  if (!access) return Error{access.error()};
  return LogFiles(config, std::move(*log), std::move(*access));
}

std::vector<int> LogFiles::files() const {
  std::vector<int> result;
  if (ipc::is_log_file(file_)) result.push_back(log());
  if (ipc::is_log_file(access_name_)) result.push_back(access());
  return result;
}

void LogFiles::reopen() {
  if (ipc::is_log_file(file_)) {
    if (const auto fd = open_file(file_)) {
      ::dup3(fd->get(), log(), O_CLOEXEC);
    } else {
      log::error("log not reopened, going on with the old file", {{"why", fd.error()}});
    }
  }
  if (ipc::is_log_file(access_name_)) {
    if (const auto fd = open_file(access_name_)) {
      ::dup3(fd->get(), access(), O_CLOEXEC);
    } else {
      log::error("access log not reopened, going on with the old file", {{"why", fd.error()}});
    }
  }
}

}  // namespace serval::master
