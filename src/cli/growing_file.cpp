#include "cli/growing_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/errno_text.hpp"

namespace serval::cli {
namespace {

constexpr std::size_t kBlock = 64 * 1024;

off_t size_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? info.st_size : 0;
}

/// What is at `at`, and fits; less if it was truncated meanwhile.
std::string_view read_block(int fd, off_t at, std::size_t size, std::array<char, kBlock>& buffer) {
  const ssize_t read = ::pread(fd, buffer.data(), std::min(size, buffer.size()), at);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(read, 0))};
}

}  // namespace

Result<GrowingFile> GrowingFile::open(const std::string& path) {
  // Looked at before it is opened: a reader of a named pipe would take its bytes from another one.
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Error{errno_text()};
  if (!S_ISREG(info.st_mode)) return Error{"it is no regular file, and keeps nothing that could be read again"};
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd.get() < 0) return Error{errno_text()};
  return GrowingFile(std::move(fd));
}

std::vector<std::string> GrowingFile::take_last(std::size_t count, const Test& passes) {
  std::vector<std::string> found;  // the last one first
  std::array<char, kBlock> buffer;
  std::string line;  // its end, as far as it has been read
  bool within = false;  // an end of line has been seen: what stands before it is a whole line
  off_t at = size_of(fd_.get());
  at_ = at;
  partial_.clear();
  const auto end_line = [&] {
    if (within && found.size() < count && passes(line)) found.push_back(line);
    if (!within) partial_ = line;
    line.clear();
    within = true;
  };
  while (at > 0 && (found.size() < count || !within)) {
    const auto size = static_cast<std::size_t>(std::min<off_t>(at, kBlock));
    at -= static_cast<off_t>(size);
    std::string_view block = read_block(fd_.get(), at, size, buffer);
    for (std::size_t end = block.rfind('\n'); end != std::string_view::npos; end = block.rfind('\n')) {
      line.insert(0, block.substr(end + 1));
      end_line();
      block = block.substr(0, end);
      if (found.size() >= count) break;
    }
    line.insert(0, block);
  }
  if (at == 0) end_line();
  std::reverse(found.begin(), found.end());
  return found;
}

void GrowingFile::read_new(const Sink& sink) {
  if (size_of(fd_.get()) < at_) {
    at_ = 0;
    partial_.clear();
  }
  std::array<char, kBlock> buffer;
  for (;;) {
    std::string_view block = read_block(fd_.get(), at_, kBlock, buffer);
    if (block.empty()) return;
    at_ += static_cast<off_t>(block.size());
    for (std::size_t end = block.find('\n'); end != std::string_view::npos; end = block.find('\n')) {
      partial_.append(block.substr(0, end));
      sink(partial_);
      partial_.clear();
      block.remove_prefix(end + 1);
    }
    partial_.append(block);
  }
}

bool GrowingFile::is_replaced_at(const std::string& path) const {
  struct stat ours {};
  struct stat there {};
  if (::fstat(fd_.get(), &ours) != 0 || ::stat(path.c_str(), &there) != 0) return false;
  return ours.st_dev != there.st_dev || ours.st_ino != there.st_ino;
}

}  // namespace serval::cli
