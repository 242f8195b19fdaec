#include "os/working_directory.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace serval::os {
namespace {

/// As a shell must check it before it believes it (POSIX, cd and pwd -L): absolute, without "." and "..".
bool is_plain(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (const auto& part : std::filesystem::path(path)) {
    if (part == "." || part == "..") return false;
  }
  return true;
}

bool same_folder(const char* one, const char* other) {
  struct stat a = {};
  struct stat b = {};
  return ::stat(one, &a) == 0 && ::stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

Result<std::string> working_directory() {
  if (const char* said = std::getenv("PWD"); said != nullptr && is_plain(said) && same_folder(said, ".")) {
    return std::string(said);
  }
  std::error_code error;
  const auto path = std::filesystem::current_path(error);
  if (error) {
    return Error{"cannot tell the working directory: " + error.message() + "; start serval in a folder that exists"};
  }
  return path.string();
}

}  // namespace serval::os
