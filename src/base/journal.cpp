#include "base/journal.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace serval {

bool names_file(std::string_view variable, std::uint64_t device, std::uint64_t inode) {
  return variable == std::to_string(device) + ":" + std::to_string(inode);
}

bool is_journal(int fd) {
  // The app may change its environment; a process forked from us keeps what we have seen.
  static const std::string variable = [] {
    const char* value = std::getenv("JOURNAL_STREAM");
    return std::string(value == nullptr ? "" : value);
  }();
  struct stat status {};
  return !variable.empty() && ::fstat(fd, &status) == 0 && names_file(variable, status.st_dev, status.st_ino);
}

std::string stderr_lines(log::Level level, std::string_view lines) {
  if (!is_journal(STDERR_FILENO)) return std::string(lines);
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    text.append(priority_prefix(level)).append(lines.substr(0, end));
    lines.remove_prefix(end);
  }
  return text;
}

std::string_view priority_prefix(log::Level level) {
  switch (level) {
    case log::Level::debug: return "<7>";
    case log::Level::info: return "<6>";
    case log::Level::warning: return "<4>";
    case log::Level::error: return "<3>";
    case log::Level::off: break;
  }
  return "";
}

}  // namespace serval
