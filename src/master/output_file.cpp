#include "master/output_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/errno_text.hpp"
#include "base/flood.hpp"
#include "base/log.hpp"
#include "master/log_files.hpp"

namespace serval::master {

Result<std::shared_ptr<OutputFile>> OutputFile::open(const std::string& path, std::uint64_t& lost_lines) {
  auto fd = open_log_file(path);
  if (!fd) return Error{fd.error()};
  return std::make_shared<OutputFile>(path, std::move(*fd), lost_lines);
}

OutputFile::~OutputFile() {
  if (unsaid_bytes_ > 0) say_lost();
}

/// SIGPIPE cannot come: log files that are pipes are open for reading, too.
void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t taken = ::write(fd_.get(), bytes.data(), bytes.size());
    if (taken < 0 && errno == EINTR) continue;
    // After a short write the next one says why.
    if (taken <= 0) return lose(bytes, taken < 0 ? errno : ENOSPC);
    cut_ = bytes[static_cast<std::size_t>(taken) - 1] != '\n';
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  if (unsaid_bytes_ > 0 && Clock::now() >= quiet_until_) say_lost();
}

void OutputFile::write_lines(std::string_view lines) {
  if (lines.empty()) return;
  if (!cut_) return write(lines);
  write("\n" + std::string(lines));
}

void OutputFile::lose(std::string_view rest, int error) {
  if (unsaid_bytes_ == 0 && Clock::now() >= quiet_until_) {
    log::error("a program's output cannot be written and is lost", {{"file", path_}, {"why", errno_text(error)}});
    quiet_until_ = Clock::now() + Flood::kQuietTime;
  }
  unsaid_bytes_ += rest.size();
  lost_lines_ += static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(std::count(rest.begin(), rest.end(), '\n'), 1));
}

void OutputFile::say_lost() {
  log::warning("output of a program was lost", {{"file", path_}, {"bytes", unsaid_bytes_}});
  unsaid_bytes_ = 0;
  quiet_until_ = Clock::now() + Flood::kQuietTime;
}

Result<void> OutputFile::reopen() {
  auto fd = open_log_file(path_);
  if (!fd) return Error{fd.error()};
  fd_ = std::move(*fd);
  cut_ = false;
  return {};
}

Result<std::shared_ptr<OutputFile>> OutputFiles::open(const std::string& path) {
  std::erase_if(files_, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = files_.find(path); found != files_.end()) return found->second.lock();
  auto file = OutputFile::open(path, lost_lines_);
  if (!file) return Error{file.error()};
  files_[path] = *file;
  return *file;
}

std::string OutputFiles::reopen() {
  std::string failures;
  for (const auto& [path, known] : files_) {
    const auto file = known.lock();
    if (!file) continue;
    const auto done = file->reopen();
    if (done) continue;
    const std::string what = "a program's output not reopened, going on with the old file";
    log::error(what, {{"why", done.error()}});
    failures += (failures.empty() ? "" : "\n") + what + ": " + done.error();
  }
  return failures;
}

}  // namespace serval::master
