#include "worker/access_log.hpp"

#include <cstdint>

#include "base/journal.hpp"
#include "base/log.hpp"

namespace serval::worker {

namespace {

/// A batch is written when it is this long, even if the loop has more to do. Well above PIPE_BUF, small enough to stay
/// in the L1 cache.
constexpr std::size_t kBatch = 16 * 1024;

std::string_view prefix_for(int fd) {
  return fd >= 0 && is_journal(fd) ? priority_prefix(log::Level::info) : std::string_view();
}

}  // namespace

AccessLog::AccessLog(boost::asio::io_context& io, int fd, http::AccessFormat format)
    : file_(fd >= 0 ? std::make_unique<LineFile>(fd) : nullptr),
      format_(std::move(format)),
      prefix_(prefix_for(fd)),
      dropped_(io, [this](std::uint64_t count) {
        return log::write(log::Level::warning, "access lines dropped",
                          {{"count", count}, {"why", file_->why_dropped()}});
      }) {}

void AccessLog::add(const http::AccessRecord& record) {
  if (!file_) return;
  lines_.append(prefix_);
  format_.append(lines_, record);
  if (lines_.size() >= kBatch) flush();
}

void AccessLog::flush() {
  if (!file_ || lines_.empty()) return;
  file_->write(lines_);
  lines_.clear();
  if (const std::uint64_t dropped = file_->take_dropped(); dropped > 0) {
    all_dropped_ += dropped;
    dropped_.add(dropped);
  }
}

void AccessLog::finish() {
  flush();
  dropped_.finish();
}

void AccessLog::reopen(int new_fd) {
  flush();
  if (!file_) return;
  file_->reopen(new_fd);
  prefix_ = prefix_for(new_fd);
}

}  // namespace serval::worker
