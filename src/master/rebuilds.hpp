#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "config/watched_files.hpp"
#include "os/file_identity.hpp"

namespace serval::master {

/// When files that are watched have been rebuilt. A linker writes in pieces, and a build makes several files: it is
/// over once nothing has changed for a while. Pure: looks and times come from outside.
class Rebuilds {
 public:
  static constexpr Duration kQuiet = std::chrono::milliseconds(300);
  using Look = std::function<std::optional<os::FileIdentity>(const std::string& path)>;

  /// From now on it is these. One that was among them before has changed if it is not what it was then.
  void watch(const std::vector<config::WatchedFile>& files, const Look& look);
  /// Something may have happened to them.
  void look_again(const Look& look, TimePoint now);
  /// Those that have changed, once the build is over; each once. A file that is not there has not been built.
  std::vector<config::WatchedFile> take(TimePoint now);
  /// When that may be; max: nothing has changed.
  TimePoint next() const;
  std::size_t size() const { return files_.size(); }

 private:
  struct File {
    config::WatchedFile what;
    std::optional<os::FileIdentity> known;  ///< at the beginning, or when it was taken
    std::optional<os::FileIdentity> seen;   ///< last
  };
  static bool is_built(const File& file) { return file.seen && file.seen != file.known; }

  std::vector<File> files_;
  TimePoint changed_at_{};
};

}  // namespace serval::master
