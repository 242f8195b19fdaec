#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "master/handover.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// For appending, made if it is not there; no write to it waits for a reader.
Result<UniqueFd> open_log_file(const std::string& path);

/// The files behind `[log] file` and `access`. Opened by the master only, for appending; all other processes inherit
/// the descriptors or are sent new ones. Both are close-on-exec and above 2, since 1 and 2 mean something else in a
/// mold.
class LogFiles {
 public:
  static Result<LogFiles> open(const config::Log& config);
  /// Those that an earlier version of serval had open in this process.
  explicit LogFiles(const LogFilesRecord& record)
      : file_(record.file), access_name_(record.access), log_(record.log_fd), access_(record.access_fd) {}
  LogFilesRecord record() const { return {file_, access_name_, log_.get(), access_.get()}; }

  int log() const { return log_.get(); }
  int access() const { return access_.get(); }  ///< -1: off
  /// What a Reopen message carries.
  std::vector<int> files() const;
  /// Whether `config` asks for the same files.
  bool are(const config::Log& config) const { return config.file == file_ && config.access == access_name_; }
  /// Opens what is a file anew and puts it under the same descriptors. A file that cannot be opened: a log line, and
  /// the old one stays. A process that logs to log() has to look at it again (log::reopen). What could not be had goes
  /// on as it was: why, in words; empty: all is well.
  std::string reopen();

 private:
  LogFiles(const config::Log& config, UniqueFd log, UniqueFd access)
      : file_(config.file), access_name_(config.access), log_(std::move(log)), access_(std::move(access)) {}

  std::string file_;
  std::string access_name_;
  UniqueFd log_;
  UniqueFd access_;
};

}  // namespace serval::master
