#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace serval::master {

/// Which file a path leads to, and what state it is in; equal until another one has been put there.
struct AppFile {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;  ///< -1: there is none
  std::int64_t modified_ns = 0;

  bool operator==(const AppFile&) const = default;
};

/// The file that was loaded has been written into: what runs from it is neither the old program nor the new one. A file
/// that has taken its name, as mv(1) and install(1) do it, harms no process. Pure.
inline bool overwritten(const AppFile& loaded, const AppFile& now) {
  return loaded.size >= 0 && now.size >= 0 && loaded.device == now.device && loaded.inode == now.inode && loaded != now;
}

/// Whether a crashing app is to be loaded anew from the file as it is `now`: there is one, and it is neither the one
/// that was `loaded` nor the last that was `tried`. Pure.
inline bool worth_loading(const AppFile& now, const AppFile& loaded, const AppFile& tried) {
  return now.size >= 0 && now != loaded && now != tried;
}

inline AppFile look_at_app(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size,
          status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

}  // namespace serval::master
