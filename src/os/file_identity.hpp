#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

namespace serval::os {

/// Which file it is, and when its content changed last (inode(7)).
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};

FileIdentity identity_of(const struct stat& status);

/// Of the regular file that the path leads to; none: it leads to none that can be seen.
std::optional<FileIdentity> identity_of_file(const std::string& path);

}  // namespace serval::os
