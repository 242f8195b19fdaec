#include "os/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>

namespace serval::os {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kOfFile = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
/// Not IN_MODIFY: the files beside it are none of our business.
constexpr std::uint32_t kOfFolder = IN_CREATE | IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR;

std::string folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

FileWatch::FileWatch() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

bool FileWatch::watch(const std::string& path) {
  if (fd_.get() < 0) return false;
  const auto add = [this](const std::string& what, std::uint32_t events) {
    return ::inotify_add_watch(fd_.get(), what.c_str(), events) >= 0;
  };
  bool all = add(folder_of(path), kOfFolder);
  std::error_code error;
  // Where a symbolic link leads, a file can be replaced as well.
  if (const fs::path real = fs::canonical(path, error); !error) all = add(folder_of(real), kOfFolder) && all;
  // One that is not there comes with an event of its folder's.
  return (add(path, kOfFile) || errno == ENOENT) && all;
}

void FileWatch::clear() {
  alignas(inotify_event) std::array<char, 4096> events;
  while (fd_.get() >= 0 && ::read(fd_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace serval::os
