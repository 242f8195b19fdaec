#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/line_file.hpp"
#include "http/access_log.hpp"
#include "worker/flood_line.hpp"

namespace serval::worker {

/// The access log of one worker: lines are gathered and go out whole, several in one write. Loop only.
class AccessLog {
 public:
  /// `fd` is borrowed; -1: off.
  AccessLog(boost::asio::io_context& io, int fd, http::AccessFormat format);

  bool on() const { return file_ != nullptr; }
  void add(const http::AccessRecord& record);
  /// Lines wait to be written: flush() is due before the loop sleeps.
  bool pending() const { return !lines_.empty(); }
  void flush();
  /// What was added before goes to the old file, what is added later to the new one.
  void reopen(int new_fd);
  std::uint64_t dropped() const { return all_dropped_; }  ///< lines, all its life
  /// The worker ends: what is left, and the last word on what was lost.
  void finish();

 private:
  std::unique_ptr<LineFile> file_;
  http::AccessFormat format_;
  std::string lines_;
  std::string_view prefix_;  ///< of each line: a client must not say a priority of its own to the journal
  FloodLine dropped_;
  std::uint64_t all_dropped_ = 0;
};

}  // namespace serval::worker
