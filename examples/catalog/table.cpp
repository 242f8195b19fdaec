#include "table.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace {

struct File {
  explicit File(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd;
};

std::system_error failure(const std::string& path) { return std::system_error(errno, std::generic_category(), "cannot read table " + path); }

std::string_view key_of(std::string_view line) { return line.substr(0, line.find('\t')); }

}  // namespace

Table::Table(const std::string& path) {
  read(path);
  check(path);
}

void Table::read(const std::string& path) {
  const File file(path);
  struct stat status {};
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0) throw failure(path);
  const auto expected = static_cast<std::size_t>(status.st_size);
  data_ = std::make_unique_for_overwrite<char[]>(expected);
  while (size_ < expected) {
    const ssize_t got = ::read(file.fd, data_.get() + size_, expected - size_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw failure(path);
    if (got == 0) break;
    size_ += static_cast<std::size_t>(got);
  }
  if (size_ > 0 && data_[size_ - 1] == '\n') --size_;
}

void Table::check(const std::string& path) {
  std::string_view rest = text();
  std::string_view last_key;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    ++rows_;
    const auto failed = [&](const std::string& what) { return std::runtime_error("table " + path + " line " + std::to_string(rows_) + what); };
    if (line.find('\t') == line.npos) throw failed(" has no tab between key and value");
    if (rows_ > 1 && key_of(line) <= last_key) throw failed(" is not sorted, or repeats a key; use LC_ALL=C sort");
    last_key = key_of(line);
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
  }
}

std::optional<std::string_view> Table::find(std::string_view key) const {
  // All lines that begin before `low` have smaller keys, all that begin at `high` or later larger ones.
  std::size_t low = 0;
  std::size_t high = size_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const std::size_t newline = middle == 0 ? text().npos : text().rfind('\n', middle - 1);
    const std::size_t begin = newline == text().npos || newline < low ? low : newline + 1;
    const std::string_view line = text().substr(begin, text().find('\n', begin) - begin);
    const int order = key_of(line).compare(key);
    if (order == 0) return line.substr(key_of(line).size() + 1);
    if (order < 0) {
      low = begin + line.size() + 1;
    } else {
      high = begin;
    }
  }
  return std::nullopt;
}
