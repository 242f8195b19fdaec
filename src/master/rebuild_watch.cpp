#include "master/rebuild_watch.hpp"

#include <algorithm>
#include <string>

#include "base/log.hpp"
#include "os/file_identity.hpp"

namespace serval::master {
namespace {

constexpr std::chrono::seconds kLookInterval{1};

}  // namespace

void RebuildWatch::begin() {
  files_.emplace();
  if (files_->fd() >= 0) events_.emplace(io_, files_->fd(), [this] { look(); });
  look_anew();
  log::info("reloading whenever what runs is rebuilt, for development", {{"files", rebuilds_.size()}});
}

void RebuildWatch::look_anew() {
  if (!files_) return;
  watched_ = wanted_();
  rebuilds_.watch(watched_, os::identity_of_file);
  look();
}

void RebuildWatch::end() {
  events_.reset();
  files_.reset();
  timer_.cancel();
}

/// A file that was replaced is another one to the kernel. Before the look, so that nothing happens in between.
void RebuildWatch::follow() {
  files_->clear();
  hears_all_ = events_.has_value();
  for (const config::WatchedFile& file : watched_) hears_all_ = files_->watch(file.path) && hears_all_;
}

void RebuildWatch::look() {
  if (!files_) return;
  follow();
  rebuilds_.look_again(os::identity_of_file, Clock::now());
  const auto built = rebuilds_.take(Clock::now());
  arm();
  if (!built.empty()) built_(built);
}

void RebuildWatch::arm() {
  TimePoint next = rebuilds_.next();
  if (!hears_all_) next = std::min<TimePoint>(next, Clock::now() + kLookInterval);
  timer_.cancel();
  if (next == TimePoint::max()) return;
  timer_.expires_at(next);
  timer_.async_wait([this](const auto& error) {
    if (!error) look();
  });
}

}  // namespace serval::master
