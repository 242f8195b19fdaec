#include "master/rebuilds.hpp"

#include <algorithm>

namespace serval::master {

void Rebuilds::watch(const std::vector<config::WatchedFile>& files, const Look& look) {
  std::vector<File> now;
  for (const config::WatchedFile& what : files) {
    const auto before = std::find_if(files_.begin(), files_.end(), [&](const File& file) { return file.what == what; });
    if (before != files_.end()) {
      now.push_back(*before);
    } else {
      const auto identity = look(what.path);
      now.push_back({what, identity, identity});
    }
  }
  files_ = std::move(now);
}

void Rebuilds::look_again(const Look& look, TimePoint now) {
  for (File& file : files_) {
    const auto identity = look(file.what.path);
    if (identity == file.seen) continue;
    file.seen = identity;
    changed_at_ = now;
  }
}

std::vector<config::WatchedFile> Rebuilds::take(TimePoint now) {
  std::vector<config::WatchedFile> built;
  if (now < changed_at_ + kQuiet) return built;
  for (File& file : files_) {
    if (!is_built(file)) continue;
    file.known = file.seen;
    built.push_back(file.what);
  }
  return built;
}

TimePoint Rebuilds::next() const {
  return std::any_of(files_.begin(), files_.end(), is_built) ? changed_at_ + kQuiet : TimePoint::max();
}

}  // namespace serval::master
